"""Plans and checks before a map is made, and the judgement of the finished map."""
