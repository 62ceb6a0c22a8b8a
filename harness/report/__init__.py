"""What a run leaves behind: verdicts, measurements, evidence."""
