"""Pictures of what an analysis found."""
