# The room of checks is seen for its list of names only.
unit(finding checks)
unit(guide checks)
unit(playbook diagnosis)
unit(playbook_reader diagnosis)
