"""What the pages of releases cost: server, wire, browser, polling."""
