"""The tournament of judges: the same simulated releases, judged by ours, by the rivals' rules, and by the bound."""
