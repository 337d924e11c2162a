"""Say what an experiment or another policy is worth, in money and with its error."""
