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
    --proxy) return;;
    --xclient) return;;
    --resolver) return;;
    --timeout) return;;
    --deadline) return;;
    --message)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --attach)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --sample)
        COMPREPLY=($(compgen -W 'gtube eicar' -- "$word"))
        return;;
    --mail-param) return;;
    --rcpt-param) return;;
    --bdat) return;;
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
    --replay)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --demo)
        COMPREPLY=($(compgen -W "$(smtpscope --list-scenarios 2>/dev/null | sed '/^#/d; s/ .*//')" -- "$word"))
        [ ${#COMPREPLY[@]} -gt 0 ] && return;;
    --practice) return;;
    --scenario)
        COMPREPLY=($(compgen -W "$(smtpscope --list-scenarios 2>/dev/null | sed '/^#/d; s/ .*//')" -- "$word"))
        [ ${#COMPREPLY[@]} -gt 0 ] && return;;
    --practice-ca)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --make-scenario)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --only) return;;
    --save)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --tee)
        COMPREPLY=($(compgen -f -- "$word"))
        return;;
    --explain) return;;
    --stage)
        COMPREPLY=($(compgen -W 'dns connect banner ehlo starttls tls auth mail rcpt data dot quit' -- "$word"))
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
    -*) COMPREPLY=($(compgen -W '--host --port --tls --from --to --subject --lmtp --first-path --ipv4 --ipv6 --source --helo --proxy --xclient --resolver --timeout --deadline --message --attach --sample --mail-param --rcpt-param --bdat --ca-file --cert --key --auth-user --auth-mech --auth-in-clear --password-file --password-fd --password-env --relay-test --send --read-only --replay --demo --practice --scenario --practice-ca --practice-public --list-scenarios --list-playbooks --make-scenario --check --json --only --strict --save --tee --quiet --verbose --explain --stage --plain --ascii --glyphs --color --no-color --mouse --no-mouse --no-animation --lang --help --version ' -- "$word"));;
    *) COMPREPLY=($(compgen -A hostname -- "$word"));;
    esac
}
complete -F _smtpscope smtpscope
