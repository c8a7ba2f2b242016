"""Replies: what became of a letter, told to its sender.

`answers.reply` answers an authenticated sender, `answers.refusal` one who is not,
`answers.notice` one whose letter a person must look at. Each gives the complete mail;
nothing here sends. `texts.sentence` gives the words of a single finding.
"""
