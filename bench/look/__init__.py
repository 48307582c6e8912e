"""What one look of a guard takes of a processor, part by part, and what a guard keeps in memory."""
