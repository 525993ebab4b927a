"""What SQL cannot do well (phone and address parsing, graph components, keyed hashes), one name on every engine."""
