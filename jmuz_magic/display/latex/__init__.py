"""How a reply looks in a LaTeX document, such as the PDF that nbconvert makes of a notebook."""
