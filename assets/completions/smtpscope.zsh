#compdef smtpscope
# made by smtpscope --print-completion zsh
_arguments -s \
  '--host=[test this server, not those in DNS]:HOST  PORT :' \
  '--port=[port of the server; 25 by default]:N:' \
  '--tls=[encryption]:MODE:(auto starttls implicit none)' \
  '--from=[sender of the relay test and test mail]:ADDRESS:' \
  '--to=[recipient of the test mail]:ADDRESS:' \
  '--subject=[subject of the test mail]:TEXT:' \
  '--lmtp[speak LMTP; on port 24 where none is named]' \
  '--first-path[try only the first address of the first host]' \
  '-4[use IPv4 alone]' \
  '--ipv4[use IPv4 alone]' \
  '-6[use IPv6 alone]' \
  '--ipv6[use IPv6 alone]' \
  '--source=[connect from this address]:IP:' \
  '--helo=[name to give in EHLO]:NAME:' \
  '--proxy=[begin with a PROXY header, v1 or v2]:V  IP  PORT  :' \
  '--xclient=[XCLIENT, as ADDR=192.0.2.1; can be repeated]:ATTRIBUTES:' \
  '--resolver=[ask this name server; can be repeated]:IP  PORT :' \
  '--timeout=[longest wait for an answer; else by RFC 5321]:SECONDS:' \
  '--deadline=[longest time for the whole run]:SECONDS:' \
  '--message=[send this file, as it is]:FILE:_files' \
  '--attach=[attach this file to the test mail]:FILE:_files' \
  '--sample=[add a text that filters stop]:NAME:(gtube eicar)' \
  '--mail-param=[for MAIL, as RET=HDRS; can be repeated]:TEXT:' \
  '--rcpt-param=[for RCPT, as NOTIFY=NEVER; can be repeated]:TEXT:' \
  '--bdat=-[send it by BDAT, where that is offered]::OCTETS:' \
  '--ca-file=[trust these certificates (PEM)]:FILE:_files' \
  '--cert=[client certificate (PEM)]:FILE:_files' \
  '--key=[key of the client certificate (PEM)]:FILE:_files' \
  '--auth-user=[log in as this user]:USER:' \
  '--auth-mech=[mechanism; the best that is offered else]:MECHANISM:(PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS XOAUTH2 OAUTHBEARER EXTERNAL)' \
  '--auth-in-clear[send the password without encryption]' \
  '--password-file=[read the password from this file]:FILE:_files' \
  '--password-fd=[read the password from an open descriptor]:N:' \
  '--password-env=[read the password from the environment]:NAME:' \
  '--relay-test[does the server forward mail for strangers?]' \
  '--send[send one test mail]' \
  '--read-only[no relay test, no login, no mail in any case]' \
  '--replay=[repeat a saved transcript, or a script]:FILE:_files' \
  '--demo=-[practise inside this program; nothing is sent]::SCENARIO:' \
  '--practice=[offer a practice server to other programs]:IP PORT:' \
  '--scenario=[which one --practice offers; healthy else]:NAME:' \
  '--practice-ca=[write its certificate authority there (PEM)]:FILE:_files' \
  '--practice-public[let --practice use any address, not loopback alone]' \
  '--list-scenarios[list what can be practised]' \
  '--list-playbooks[list the symptoms that the guided mode knows]' \
  '--make-scenario=[make a saved JSON report a scenario that names nobody]:FILE:_files' \
  '--check[no screen  plain lines, summary last]' \
  '--json[no screen  one JSON document]' \
  '--only=[only these, as dns.mx,tls.starttls]:CHECKS:' \
  '--strict[warnings count as failures]' \
  '--save=[save the report  .txt, .md or .json; as a ticket  .ticket.txt, .ticket.md]:FILE:_files' \
  '--tee=[write the transcript while it grows]:FILE:_files' \
  '-q[problems and the summary only]' \
  '--quiet[problems and the summary only]' \
  '-v[explain what went well, too]' \
  '--verbose[explain what went well, too]' \
  '--explain=-[what a reply, or a line of a log or bounce, means; without TEXT  each line of standard input]::TEXT:' \
  '--stage=[what it was the reply to]:STAGE:(dns connect banner ehlo starttls tls auth mail rcpt data dot quit)' \
  '--plain[plain lines instead of the full screen]' \
  '--ascii[no character beyond ASCII]' \
  '--glyphs=[marks and lines]:SET:(auto utf8 ascii)' \
  '--color=[colours]:WHEN:(auto always never)' \
  '--no-color[the same as --color=never]' \
  '--mouse[take the mouse from the start]' \
  '--no-mouse[leave the mouse to the terminal]' \
  '--no-animation[nothing turns while waiting]' \
  '--lang=[language of the texts, as en or es]:LANGUAGE:' \
  '-h[this text]' \
  '--help[this text]' \
  '-V[version and libraries]' \
  '--version[version and libraries]' \
  '*:target:_hosts'
