"""What `plan` looks at before a release may start. Reads only."""
