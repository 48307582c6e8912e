"""What the judge says, as lines for people: the same in logs, on pages, in messages, reports and a replay."""
