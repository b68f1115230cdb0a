# bash completion for smtpscope; made by smtpscope --print-completion bash
_smtpscope()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    [ "$word" = = ] && word=
    [ "$before" = = ] && before=${COMP_WORDS[COMP_CWORD-2]}
    COMPREPLY=()
    case $before in
    --host) return;;
    --port) return;;
    --tls)
        COMPREPLY=($(compgen -W 'auto starttls implicit none' -- "$word"))
        return;;
    --from) return;;
    --to) return;;
    --subject) return;;
    --source) return;;
    --helo) return;;
    --resolver) return;;
    --timeout) return;;
    --deadline) return;;
    --ca-file)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --cert)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --key)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --auth-user) return;;
    --auth-mech)
        COMPREPLY=($(compgen -W 'PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS XOAUTH2 OAUTHBEARER EXTERNAL' -- "$word"))
        return;;
    --password-file)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --password-fd) return;;
    --password-env) return;;
    --demo)
        COMPREPLY=($(compgen -W "$(smtpscope --list-scenarios 2>/dev/null | sed '/^#/d; s/ .*//')" -- "$word"))
        [ ${#COMPREPLY[@]} -gt 0 ] && return;;
    --only) return;;
    --save)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --tee)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --glyphs)
        COMPREPLY=($(compgen -W 'auto utf8 ascii' -- "$word"))
        return;;
    --color)
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return;;
    --lang) return;;
    esac
    case $word in
    -*) COMPREPLY=($(compgen -W '--host --port --tls --from --to --subject --first-path --ipv4 --ipv6 --source --helo --resolver --timeout --deadline --ca-file --cert --key --auth-user --auth-mech --auth-in-clear --password-file --password-fd --password-env --relay-test --send --read-only --demo --list-scenarios --check --json --only --strict --save --tee --quiet --verbose --plain --ascii --glyphs --color --no-color --mouse --no-mouse --no-animation --lang --help --version ' -- "$word"));;
    *) COMPREPLY=($(compgen -A hostname -- "$word"));;
    esac
}
complete -F _smtpscope smtpscope
