"""What the pages show, as plain Python: nothing here imports Qt, and everything can be tested without a screen."""
