"""What `make` runs with the notebooks: copies of them in JupyterLab, and their cells again."""
