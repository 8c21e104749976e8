"""What a run came to, for people and for machines: one page, a journal, JUnit, a summary, a comparison."""
