"""The page that serve.py shows in a browser: a tab for each question, answered by the models that compare.py loads."""
