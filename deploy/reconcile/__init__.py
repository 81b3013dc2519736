"""`baoshen check`: do the four databases, the bucket and the topics agree?"""
