#include <ctype.h>
#include <string.h>

#include "escape.h"
#include "macro.h"
#include "options.h"
#include "text.h"

#define HELP_COLUMN 30
#define HELP_WIDTH 80
#define LABEL_MAX 128
#define ROFF_WIDTH 72 /* before hyphens and backslashes are escaped */
#define MAN_DATE "2026-11-23"
#define CHOICES_SHOWN 40 /* longer lists are left to the manual page */

struct example {
    const char *command;
    const char *meaning;
};

static const struct example examples[] = {
    {"smtpscope", N_("the start screen")},
    {"smtpscope example.com", N_("the safe checks of a domain")},
    {"smtpscope mx1.example.com:25", N_("one server")},
    {"smtpscope --check --json example.com", N_("for scripts: one JSON document")},
    {"smtpscope --demo=healthy", N_("practise; no network is needed")},
    {"smtpscope --practice 127.0.0.1:2525", N_("a practice server for other programs")},
    {"smtpscope --explain '550 5.7.26 ...'", N_("what a reply means")},
};

static const char *const section_titles[SECTION_COUNT] = {
    [SECTION_TARGET] = N_("What is tested"),
    [SECTION_WAY] = N_("The way to it"),
    [SECTION_MESSAGE] = N_("The test mail"),
    [SECTION_TLS] = N_("Certificates"),
    [SECTION_LOGIN] = N_("Logging in"),
    [SECTION_CONSENT] = N_("Consent"),
    [SECTION_PRACTICE] = N_("Practice"),
    [SECTION_OUTPUT] = N_("Without a screen"),
    [SECTION_EXPLAIN] = N_("Explaining replies"),
    [SECTION_SCREEN] = N_("Appearance"),
    [SECTION_OTHER] = N_("Other"),
};

struct exit_meaning {
    const char *codes;
    const char *meaning;
};

static const struct exit_meaning exit_meanings[] = {
    {"0", N_("everything is well")},
    {"1", N_("there are warnings")},
    {"2", N_("a check failed")},
    {"3", N_("something could not be tested for a reason on this side")},
    {"64", N_("wrong use")},
    {"65", N_("bad input")},
    {"70", N_("internal error")},
    {"73", N_("a file cannot be created")},
    {"74", N_("input or output error")},
    {"77", N_("not permitted")},
};

static const char target_text[] =
    N_("TARGET is a domain, user@domain, host:port, [IPv6 address]:port, or a smtp://, smtps:// or "
       "submission:// address.");
static const char explain_text[] =
    N_("TEXT, which may also be a word of its own behind --explain, is a reply as a server sends it, "
       "over one or several lines, an entry of the log of Postfix, Exim or sendmail, a line of an "
       "Exchange report, or a DSN with its Diagnostic-Code fields. Of standard input every line is "
       "one; of a DSN in it only the Diagnostic-Code fields are, with the Status and Remote-MTA "
       "before them. With --json there is one object a line. No network is used.");
static const char explain_codes[] =
    N_("It ends with 0 when every reply was decoded, with 1 when some lines held none, and with 65 "
       "when there was nothing that could be read as a reply.");
static const char exit_title[] = N_("Exit code");
static const char purpose[] =
    N_("Finds out what is wrong with a mail server, or with the way to it, step by step.");

/* "-4, --ipv4", "--demo[=SCENARIO]" */
static void row_label(const struct option_row *row, char *out, size_t size)
{
    char letter[8] = "";
    if (row->letter != 0) {
        snprintf(letter, sizeof(letter), "-%c, ", row->letter);
    }
    if (row->value == NULL) {
        snprintf(out, size, "%s--%s", letter, row->name);
    } else if (row->value_optional) {
        snprintf(out, size, "%s--%s[=%s]", letter, row->name, row->value);
    } else {
        snprintf(out, size, "%s--%s %s", letter, row->name, row->value);
    }
}

static void print_spaces(FILE *out, size_t count)
{
    fprintf(out, "%*s", (int)count, "");
}

/* Words from column `column` on, in lines that begin at `indent`. Returns the column after them. */
static size_t print_words(FILE *out, const char *text, size_t column, size_t indent)
{
    bool first = column == indent;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        size_t width = escape_columns(text, len, 0);
        if (!first && column + 1 + width > HELP_WIDTH) {
            fputc('\n', out);
            print_spaces(out, indent);
            column = indent;
            first = true;
        }
        if (!first) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, len, out);
        column += width;
        first = false;
        text += len + strspn(text + len, " ");
    }
    return column;
}

static void print_row(FILE *out, const char *label, const char *text, const char *choices)
{
    size_t width = 2 + strlen(label);
    fprintf(out, "  %s", label);
    if (width + 2 > HELP_COLUMN) {
        fputc('\n', out);
        width = 0;
    }
    print_spaces(out, HELP_COLUMN - width);
    size_t column = print_words(out, text, HELP_COLUMN, HELP_COLUMN);
    if (choices != NULL && strlen(choices) <= CHOICES_SHOWN) {
        fputc(':', out);
        print_words(out, choices, column + 1, HELP_COLUMN);
    }
    fputc('\n', out);
}

static void print_exit_codes(FILE *out)
{
    size_t column = 0;
    fprintf(out, "%s:\n ", _(exit_title));
    for (size_t i = 0; i < ARRAY_LEN(exit_meanings); i++) {
        char item[160];
        const char *end = i + 1 < ARRAY_LEN(exit_meanings) ? "," : ".";
        snprintf(item, sizeof(item), "%s %s%s", exit_meanings[i].codes, _(exit_meanings[i].meaning),
                 end);
        column = print_words(out, item, i == 0 ? 1 : column, 1);
    }
    fputc('\n', out);
}

void options_usage(FILE *out)
{
    fputs(_("Usage: smtpscope [OPTION]... [TARGET]"), out);
    fputc('\n', out);
}

void options_help(FILE *out)
{
    fprintf(out, "smtpscope %s\n", SMTPSCOPE_VERSION);
    print_words(out, _(purpose), 0, 0);
    fputc('\n', out);
    options_usage(out);
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        fprintf(out, "  %-38s", examples[i].command);
        print_words(out, _(examples[i].meaning), 40, 40);
        fputc('\n', out);
    }
    print_words(out, _(target_text), 0, 0);
    fputc('\n', out);
    for (int section = 0; section < SECTION_HIDDEN; section++) {
        fprintf(out, "%s:\n", _(section_titles[section]));
        for (size_t i = 0; i < option_row_count; i++) {
            const struct option_row *row = &option_rows[i];
            char label[LABEL_MAX];
            if ((int)row->section == section) {
                row_label(row, label, sizeof(label));
                print_row(out, label, _(row->help), row->choices);
            }
        }
    }
    print_exit_codes(out);
}

/* Text of a manual page: no byte of it may be taken for a request or an escape. */
static void print_roff_span(FILE *out, const char *text, size_t len)
{
    if (len > 0 && (*text == '.' || *text == '\'')) {
        fputs("\\&", out);
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\') {
            fputs("\\e", out);
        } else if (text[i] == '-') {
            fputs("\\-", out);
        } else {
            fputc(text[i], out);
        }
    }
}

static void print_roff(FILE *out, const char *text)
{
    print_roff_span(out, text, strlen(text));
}

/* The same in lines of a length that linters of manual pages like. Returns the column behind. */
static size_t print_roff_words(FILE *out, const char *text, size_t column)
{
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (column > 0) {
            bool fits = column + 1 + len <= ROFF_WIDTH;
            fputc(fits ? ' ' : '\n', out);
            column = fits ? column + 1 : 0;
        }
        print_roff_span(out, text, len);
        column += len;
        text += len + strspn(text + len, " ");
    }
    return column;
}

static void print_section(FILE *out, const char *title)
{
    fputs(".SH ", out);
    for (; *title != '\0'; title++) {
        fputc(toupper((unsigned char)*title), out);
    }
    fputc('\n', out);
}

static void print_term(FILE *out, const char *term, const char *meaning)
{
    fputs(".TP\n.B ", out);
    print_roff(out, term);
    fputc('\n', out);
    print_roff_words(out, meaning, 0);
    fputs(".\n", out);
}

static void print_man_row(FILE *out, const struct option_row *row)
{
    char label[LABEL_MAX];
    row_label(row, label, sizeof(label));
    fputs(".TP\n.B ", out);
    print_roff(out, label);
    fputc('\n', out);
    size_t column = print_roff_words(out, _(row->help), 0);
    if (row->choices != NULL) {
        fputc(':', out);
        print_roff_words(out, row->choices, column + 1);
    }
    fputs(".\n", out);
}

static const struct example variables[] = {
    {"SMTPSCOPE_DATA", N_("directory with guide, playbooks, scenarios and translations, instead of the "
                          "installed one")},
    {"SMTPSCOPE_A11Y",
     N_("when 1, plain lines instead of the full screen, as with --plain and with "
        "TERM=dumb")},
    {"NO_COLOR", N_("when not empty, no colours are used")},
    {"XDG_STATE_HOME",
     N_("directory below which smtpscope/lessons tells which lessons were solved; "
        "~/.local/state where it is not set")},
    {"LANGUAGE, LC_ALL, LC_MESSAGES, LANG", N_("language of the texts, where --lang names none")},
};

/* What a file for --replay may hold. */
static const struct example script_lines[] = {
    {"EHLO client.example", N_("a command, one a line")},
    {"expect 250", N_("what the command before has to be answered with; the first digit counts")},
    {"DATA", N_("is followed by the text of the message, up to the line with a lone dot")},
    {"BDAT 17 LAST", N_("is followed by lines that have, with their CRLF, exactly so many octets")},
    {"raw NOOP\\r\\nNOOP\\n", N_("exact bytes: \\r \\n \\t \\0 \\\\ and \\x with two digits")},
    {"# anything", N_("a comment; empty lines are ignored outside of messages")},
};

static void print_scripts(FILE *out)
{
    print_section(out, _("Scripts"));
    print_roff_words(
        out,
        _("--replay takes a saved report or a --tee file, of which it repeats the client's lines, or "
          "a file that holds these. It stops at the first reply of another kind than the saved or "
          "expected one. Logins are made with --auth-user and its password; --relay-test or --send "
          "permit MAIL and RCPT, and --send permits messages. In saved transcripts, lines marked c: "
          "and c~ are exact bytes."),
        0);
    fputc('\n', out);
    for (size_t i = 0; i < ARRAY_LEN(script_lines); i++) {
        print_term(out, script_lines[i].command, _(script_lines[i].meaning));
    }
}

/* The line of the screen: its words that begin with a colon, from the one table. */
static void print_typing(FILE *out)
{
    char term[64];
    print_section(out, _("Typing SMTP"));
    print_roff_words(
        out,
        _("i on the screen opens a line for commands on the live connection. Tab completes what this "
          "server offers, and pressed again lists it; the line below says what is wrong, and what "
          "will be answered. DATA opens a composer. Words with a colon stand for more than one line:"),
        0);
    fputc('\n', out);
    for (enum macro_id id = MACRO_NONE + 1; id < MACRO_COUNT; id++) {
        (void)snprintf(term, sizeof(term), ":%s%s%s", macros[id].name,
                       macros[id].args[0] != '\0' ? " " : "", macros[id].args);
        print_term(out, term, _(macros[id].title));
    }
}

void options_man(FILE *out)
{
    fprintf(out, ".TH SMTPSCOPE 1 \"%s\" \"smtpscope %s\" \"\"\n", MAN_DATE,
            SMTPSCOPE_VERSION);
    print_section(out, _("Name"));
    fputs("smtpscope \\- ", out);
    print_roff(out, _("diagnose mail servers on a full-screen console"));
    fputc('\n', out);
    print_section(out, _("Synopsis"));
    fputs(".B smtpscope\n[\\fIOPTION\\fR]... [\\fITARGET\\fR]\n", out);
    print_section(out, _("Description"));
    print_roff_words(out, _(purpose), 0);
    fputs("\n.PP\n", out);
    print_roff_words(out, _(target_text), 0);
    fputs("\n.PP\n", out);
    print_roff_words(out,
                     _("With a terminal, a full-screen console opens. Steps that disturb nobody run by "
                       "themselves; the relay test, logging in and sending ask first."),
                     0);
    fputc('\n', out);
    print_section(out, _("Options"));
    for (int section = 0; section < SECTION_HIDDEN; section++) {
        fputs(".SS ", out);
        print_roff(out, _(section_titles[section]));
        fputc('\n', out);
        for (size_t i = 0; i < option_row_count; i++) {
            if ((int)option_rows[i].section == section) {
                print_man_row(out, &option_rows[i]);
            }
        }
    }
    print_section(out, _("Explaining replies"));
    print_roff_words(out, _(explain_text), 0);
    fputs("\n.PP\n", out);
    print_roff_words(out, _(explain_codes), 0);
    fputc('\n', out);
    print_typing(out);
    print_scripts(out);
    print_section(out, _(exit_title));
    for (size_t i = 0; i < ARRAY_LEN(exit_meanings); i++) {
        print_term(out, exit_meanings[i].codes, _(exit_meanings[i].meaning));
    }
    print_section(out, _("Environment"));
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        print_term(out, variables[i].command, _(variables[i].meaning));
    }
    print_section(out, _("Examples"));
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        print_term(out, examples[i].command, _(examples[i].meaning));
    }
    print_section(out, _("See also"));
    fputs(".BR smtpscope\\-scenarios (7)\n", out);
}

static bool takes_file(const struct option_row *row)
{
    return row->value != NULL && strcmp(row->value, "FILE") == 0;
}

static void complete_bash(FILE *out)
{
    fputs("# bash completion for smtpscope; made by smtpscope --print-completion bash\n"
          "_smtpscope()\n{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    [ \"$word\" = = ] && word=\n"
          "    [ \"$before\" = = ] && before=${COMP_WORDS[COMP_CWORD-2]}\n"
          "    COMPREPLY=()\n"
          "    case $before in\n",
          out);
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if (row->section >= SECTION_HIDDEN || row->value == NULL) {
            continue;
        }
        if (strcmp(row->name, "demo") == 0 || strcmp(row->name, "scenario") == 0) {
            fprintf(out, "    --%s)\n", row->name);
            fputs("        COMPREPLY=($(compgen -W \"$(smtpscope --list-scenarios "
                  "2>/dev/null | sed '/^#/d; s/ .*//')\" -- \"$word\"))\n"
                  "        [ ${#COMPREPLY[@]} -gt 0 ] && return;;\n",
                  out);
        } else if (row->choices != NULL) {
            fprintf(out,
                    "    --%s)\n        COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n        "
                    "return;;\n",
                    row->name, row->choices);
        } else if (takes_file(row)) {
            fprintf(out,
                    "    --%s)\n        COMPREPLY=($(compgen -f -- \"$word\"))\n        return;;\n",
                    row->name);
        } else {
            fprintf(out, "    --%s) return;;\n", row->name);
        }
    }
    fputs("    esac\n    case $word in\n    -*) COMPREPLY=($(compgen -W '", out);
    for (size_t i = 0; i < option_row_count; i++) {
        if (option_rows[i].section < SECTION_HIDDEN) {
            fprintf(out, "--%s ", option_rows[i].name);
        }
    }
    fputs("' -- \"$word\"));;\n    *) COMPREPLY=($(compgen -A hostname -- \"$word\"));;\n    "
          "esac\n}\n"
          "complete -F _smtpscope smtpscope\n",
          out);
}

/* The help texts hold no quotes, colons or brackets that a shell would take for its own. */
static void print_safe(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        fputc(strchr("'[]:\\", *text) != NULL ? ' ' : *text, out);
    }
}

static void complete_zsh(FILE *out)
{
    fputs("#compdef smtpscope\n# made by smtpscope --print-completion zsh\n_arguments -s \\\n",
          out);
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if (row->section >= SECTION_HIDDEN) {
            continue;
        }
        if (row->letter != 0) {
            fprintf(out, "  '-%c[", row->letter);
            print_safe(out, row->help);
            fputs("]' \\\n", out);
        }
        fprintf(out, "  '--%s%s[", row->name,
                row->value == NULL    ? ""
                : row->value_optional ? "=-"
                                      : "=");
        print_safe(out, row->help);
        fputc(']', out);
        if (row->value != NULL) {
            fputs(row->value_optional ? "::" : ":", out);
            print_safe(out, row->value);
            fputc(':', out);
            if (row->choices != NULL) {
                fprintf(out, "(%s)", row->choices);
            } else if (takes_file(row)) {
                fputs("_files", out);
            }
        }
        fputs("' \\\n", out);
    }
    fputs("  '*:target:_hosts'\n", out);
}

static void complete_fish(FILE *out)
{
    fputs("# fish completion for smtpscope; made by smtpscope --print-completion fish\n", out);
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if (row->section >= SECTION_HIDDEN) {
            continue;
        }
        fprintf(out, "complete -c smtpscope -l %s", row->name);
        if (row->letter != 0) {
            fprintf(out, " -s %c", row->letter);
        }
        if (row->value != NULL && !row->value_optional) {
            fputs(takes_file(row) ? " -r -F" : " -x", out);
        }
        if (row->choices != NULL) {
            fprintf(out, " -a '%s'", row->choices);
        }
        fputs(" -d '", out);
        print_safe(out, row->help);
        fputs("'\n", out);
    }
}

bool options_completion(FILE *out, const char *shell)
{
    static const struct {
        const char *shell;
        void (*print)(FILE *out);
    } printers[] = {{"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish}};
    for (size_t i = 0; i < ARRAY_LEN(printers); i++) {
        if (strcmp(printers[i].shell, shell) == 0) {
            printers[i].print(out);
            return true;
        }
    }
    return false;
}
