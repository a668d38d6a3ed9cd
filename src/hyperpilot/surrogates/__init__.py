"""Models of scores over configurations and training time: one file each."""
