"""Speed against named peers, as ratios of one run on one machine. `make bench` prints and writes them."""
