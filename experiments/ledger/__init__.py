"""An experiment's life, written down before each step of it, so that whoever comes later can end what is left on."""
