"""Whether and how much: sizing, limits and gates. A strategy proposes; risk may shrink or refuse, never enlarge."""
