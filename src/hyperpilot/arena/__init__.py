"""The arena: search methods judged on recorded curves, each running as it would run for a user."""
