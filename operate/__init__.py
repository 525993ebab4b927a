"""Everything around the dbt build: environments, clock, lock, publishing, reports and the `c360` command."""
