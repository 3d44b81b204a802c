"""What `make` does with the notebooks: open copies in JupyterLab, and re-run them."""
