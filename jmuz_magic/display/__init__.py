"""How a reply looks: safe HTML for notebooks, inert text for terminals, and live views."""
