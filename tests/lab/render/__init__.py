"""What is rendered, for each reader."""
