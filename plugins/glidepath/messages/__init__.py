"""Messages: people and machines are told how a release goes. Nothing of a release waits for them."""
