"""The devices that run models, one file each."""
