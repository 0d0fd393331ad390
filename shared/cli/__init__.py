"""`lms`, the command line for admins: on the local tenant and on Azure with the same words.

It reads and writes the connector's storage as the person who is signed in, and asks the app to do the rest by the same
queue as everybody else. It is not part of what is deployed.
"""
