"""`%%jmuz` and the other magics: what they accept, what they do, how they are loaded and unloaded."""
