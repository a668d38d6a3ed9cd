"""The RL algorithms, one file each: ranges, defaults and rules as plain data. Nothing here imports torch."""
