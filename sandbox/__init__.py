"""The outside world, pretended: one seeded population with known truth behind real protocols."""
