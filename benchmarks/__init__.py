"""What is fast and small enough: `make bench` runs this and writes RESULTS.md."""
