"""The look at a candidate's portrait: faces in it, what is wrong with it, and the registration photo it becomes."""
