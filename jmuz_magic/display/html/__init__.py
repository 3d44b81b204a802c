"""Safe HTML from a reply: Markdown, formulas, tables, links and code."""
