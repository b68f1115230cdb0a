#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "reply_decode.h"
#include "sasl.h"
#include "text.h"

#define WORDS_JOINED_MAX 2048 /* of an option whose values are put behind one another */

static void *member(struct options *o, const struct option_row *row)
{
    return (char *)o + row->offset;
}

static enum status set_flag(struct options *o, const struct option_row *row, const char *value,
                            struct error *error)
{
    (void)value;
    (void)error;
    bool on = row->max != 0;
    memcpy(member(o, row), &on, sizeof(on));
    return ST_OK;
}

/* A flag that stands for one value of a number. */
static enum status set_constant(struct options *o, const struct option_row *row, const char *value,
                                struct error *error)
{
    (void)value;
    (void)error;
    int n = (int)row->max;
    memcpy(member(o, row), &n, sizeof(n));
    return ST_OK;
}

static enum status set_text(struct options *o, const struct option_row *row, const char *value,
                            struct error *error)
{
    if (value[0] == '\0') {
        return error_set(error, ST_INVALID, 0, _("The value of --%s must not be empty."),
                         row->name);
    }
    memcpy(member(o, row), &value, sizeof(value));
    return ST_OK;
}

/* Into the plan, which owns its texts. */
static enum status set_copy(struct options *o, const struct option_row *row, const char *value,
                            struct error *error)
{
    enum status st = str_set(member(o, row), value);
    return st == ST_OK ? st : error_set(error, st, 0, _("There is not enough memory."));
}

static enum status read_number(const struct option_row *row, const char *value, long *out,
                               struct error *error)
{
    char *end = NULL;
    errno = 0;
    long n = isdigit((unsigned char)value[0]) ? strtol(value, &end, 10) : -1;
    if (end == NULL || *end != '\0' || errno != 0 || n < row->min || n > row->max) {
        return error_set(error, ST_INVALID, 0,
                         _("The value of --%s must be a number from %ld to %ld, and not \"%s\"."),
                         row->name, row->min, row->max, value);
    }
    *out = n;
    return ST_OK;
}

static enum status set_number(struct options *o, const struct option_row *row, const char *value,
                              struct error *error)
{
    long n = 0;
    enum status st = read_number(row, value, &n, error);
    if (st == ST_OK) {
        int number = (int)n;
        memcpy(member(o, row), &number, sizeof(number));
    }
    return st;
}

/* The index of the value among the row's choices. */
static enum status set_choice(struct options *o, const struct option_row *row, const char *value,
                              struct error *error)
{
    int i = 0;
    size_t len = strlen(value);
    for (const char *p = row->choices; *p != '\0'; i++) {
        size_t n = strcspn(p, " ");
        if (n == len && memcmp(p, value, n) == 0) {
            memcpy(member(o, row), &i, sizeof(i));
            return ST_OK;
        }
        p += n + strspn(p + n, " ");
    }
    return error_set(error, ST_INVALID, 0,
                     _("The value of --%s is one of: %s. It cannot be \"%s\"."), row->name,
                     row->choices, value);
}

static enum status set_source(struct options *o, const struct option_row *row, const char *value,
                              struct error *error)
{
    if (!net_address_parse(value, &o->plan.source)) {
        return error_set(
            error, ST_INVALID, 0,
            _("The value of --%s must be an IP address of this machine, and not \"%s\"."),
            row->name, value);
    }
    return ST_OK;
}

/* "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353". Without a port, *port is
 * -1. */
static bool parse_address_port(const char *text, struct net_address *out, long *port)
{
    *port = -1;
    if (net_address_parse(text, out)) {
        return true;
    }
    char host[NET_ADDRESS_TEXT];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof(host)) {
        return false;
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    char *end = NULL;
    *port = isdigit((unsigned char)colon[1]) ? strtol(colon + 1, &end, 10) : -1;
    bool bracketed = host[0] == '[';
    if (end == NULL || *end != '\0' || *port < 0 || *port > 65535 ||
        !net_address_parse(host, out) || (out->family == 6 && !bracketed)) {
        return false;
    }
    out->port = (uint16_t)*port;
    return true;
}

static enum status add_resolver(struct options *o, const struct option_row *row, const char *value,
                                struct error *error)
{
    struct dns_config *dns = &o->plan.dns;
    if (dns->server_count == DNS_SERVERS_MAX) {
        return error_set(error, ST_INVALID, 0, _("There can be at most %d --%s options."),
                         DNS_SERVERS_MAX, row->name);
    }
    long port = -1;
    if (!parse_address_port(value, &dns->servers[dns->server_count], &port) || port == 0) {
        return error_set(
            error, ST_INVALID, 0,
            _("The value of --%s must be an IP address, with or without a port, and not "
              "\"%s\"."),
            row->name, value);
    }
    dns->server_count++;
    return ST_OK;
}

static enum status set_only(struct options *o, const struct option_row *row, const char *value,
                            struct error *error)
{
    (void)row;
    return check_mask(value, &o->plan.only, error);
}

static enum status set_mech(struct options *o, const struct option_row *row, const char *value,
                            struct error *error)
{
    if (sasl_mech_find(value) == MECH_NONE) {
        return error_set(error, ST_INVALID, 0, _("\"%s\" is no mechanism that --%s knows."), value,
                         row->name);
    }
    return set_copy(o, row, value, error);
}

/* Adds the words to those of the same option before. */
static enum status add_words(struct options *o, const struct option_row *row, const char *value,
                             struct error *error)
{
    char **slot = member(o, row);
    struct buf joined;
    if (value[strspn(value, " ")] == '\0') {
        return error_set(error, ST_INVALID, 0, _("The value of --%s must not be empty."),
                         row->name);
    }
    buf_init(&joined, WORDS_JOINED_MAX);
    enum status st =
        buf_addf(&joined, "%s%s%s", *slot != NULL ? *slot : "", *slot != NULL ? " " : "", value);
    if (st == ST_OK) {
        st = str_set(slot, buf_str(&joined));
    }
    buf_free(&joined);
    if (st == ST_LIMIT) {
        return error_set(error, ST_INVALID, 0, _("The values of --%s are too long."), row->name);
    }
    return st == ST_OK ? st : error_set(error, st, 0, _("There is not enough memory."));
}

static enum status set_sample(struct options *o, const struct option_row *row, const char *value,
                              struct error *error)
{
    if (!sample_find(value, &o->plan.sample)) {
        return error_set(error, ST_INVALID, 0,
                         _("The value of --%s is one of: %s. It cannot be \"%s\"."), row->name,
                         row->choices, value);
    }
    return ST_OK;
}

static enum status set_chunk(struct options *o, const struct option_row *row, const char *value,
                             struct error *error)
{
    long n = (long)PLAN_CHUNK_DEFAULT;
    enum status st = value != NULL ? read_number(row, value, &n, error) : ST_OK;
    o->plan.chunk = st == ST_OK ? (size_t)n : 0;
    return st;
}

static enum status set_proxy(struct options *o, const struct option_row *row, const char *value,
                             struct error *error)
{
    (void)row;
    return proxy_wish_parse(value, &o->plan.proxy, error);
}

static enum status set_demo(struct options *o, const struct option_row *row, const char *value,
                            struct error *error)
{
    o->demo = true;
    return value != NULL ? set_text(o, row, value, error) : ST_OK;
}

static enum status set_practice(struct options *o, const struct option_row *row, const char *value,
                                struct error *error)
{
    static const char local[] = "localhost:";
    static const char loopback[] = "127.0.0.1:";
    char text[NET_ADDRESS_TEXT + 16];
    long port = -1;
    bool named = strncmp(value, local, strlen(local)) == 0;
    int len = snprintf(text, sizeof(text), "%s%s", named ? loopback : "",
                       named ? value + strlen(local) : value);
    if (len < 0 || (size_t)len >= sizeof(text) ||
        !parse_address_port(text, &o->practice_at, &port) || port < 0) {
        return error_set(error, ST_INVALID, 0,
                         _("The value of --%s must be an IP address of this machine and a port, as "
                           "127.0.0.1:2525 or [::1]:2525, and not \"%s\"."),
                         row->name, value);
    }
    o->practice = true;
    return ST_OK;
}

static enum status set_saved_run(struct options *o, const struct option_row *row,
                                 const char *value, struct error *error)
{
    o->mode = OPTIONS_MAKE_SCENARIO;
    return set_text(o, row, value, error);
}

static enum status set_shell(struct options *o, const struct option_row *row, const char *value,
                             struct error *error)
{
    o->mode = OPTIONS_COMPLETION;
    return set_text(o, row, value, error);
}

static enum status set_explain(struct options *o, const struct option_row *row, const char *value,
                               struct error *error)
{
    o->mode = OPTIONS_EXPLAIN;
    return value != NULL ? set_text(o, row, value, error) : ST_OK;
}

static enum status set_stage(struct options *o, const struct option_row *row, const char *value,
                             struct error *error)
{
    enum reply_stage stage = reply_stage_find(value);
    if (stage == STAGE_UNKNOWN) {
        return error_set(error, ST_INVALID, 0,
                         _("The value of --%s is one of: %s. It cannot be \"%s\"."), row->name,
                         row->choices, value);
    }
    o->stage = (int)stage;
    return ST_OK;
}

static enum status refuse_password(struct options *o, const struct option_row *row,
                                   const char *value, struct error *error)
{
    (void)row;
    if (o->from_scenario && value != NULL) {
        return secret_set(&o->plan.password, value, strlen(value));
    }
    return error_set(
        error, ST_INVALID, 0,
        _("A password on the command line can be read by everybody on this machine. Use "
          "--password-file, --password-fd or --password-env."));
}

#define AT(field) offsetof(struct options, field)

const struct option_row option_rows[] = {
    {"host", 0, SECTION_TARGET, "HOST[:PORT]", false, NULL,
     N_("test this server, not those in DNS"), set_text, AT(host), 0, 0},
    {"port", 0, SECTION_TARGET, "N", false, NULL, N_("port of the server; 25 by default"),
     set_number, AT(port), 1, 65535},
    {"tls", 0, SECTION_TARGET, "MODE", false, "auto starttls implicit none", N_("encryption"),
     set_choice, AT(tls), 0, 0},
    {"from", 0, SECTION_TARGET, "ADDRESS", false, NULL,
     N_("sender of the relay test and test mail"), set_copy, AT(plan.from), 0, 0},
    {"to", 0, SECTION_TARGET, "ADDRESS", false, NULL, N_("recipient of the test mail"), set_copy,
     AT(plan.to), 0, 0},
    {"subject", 0, SECTION_TARGET, "TEXT", false, NULL, N_("subject of the test mail"), set_copy,
     AT(plan.subject), 0, 0},
    {"lmtp", 0, SECTION_TARGET, NULL, false, NULL,
     N_("speak LMTP; on port 24 where none is named"), set_flag, AT(plan.lmtp), 0, 1},
    {"first-path", 0, SECTION_TARGET, NULL, false, NULL,
     N_("try only the first address of the first host"), set_flag, AT(plan.first_path), 0, 1},

    {"ipv4", '4', SECTION_WAY, NULL, false, NULL, N_("use IPv4 alone"), set_constant, AT(family), 0,
     4},
    {"ipv6", '6', SECTION_WAY, NULL, false, NULL, N_("use IPv6 alone"), set_constant, AT(family), 0,
     6},
    {"source", 0, SECTION_WAY, "IP", false, NULL, N_("connect from this address"), set_source, 0, 0,
     0},
    {"helo", 0, SECTION_WAY, "NAME", false, NULL, N_("name to give in EHLO"), set_copy,
     AT(plan.helo), 0, 0},
    {"proxy", 0, SECTION_WAY, "V[:IP[:PORT]]", false, NULL,
     N_("begin with a PROXY header, v1 or v2"), set_proxy, 0, 0, 0},
    {"xclient", 0, SECTION_WAY, "ATTRIBUTES", false, NULL,
     N_("XCLIENT, as ADDR=192.0.2.1; can be repeated"), add_words, AT(plan.xclient), 0, 0},
    {"resolver", 0, SECTION_WAY, "IP[:PORT]", false, NULL,
     N_("ask this name server; can be repeated"), add_resolver, 0, 0, 0},
    {"timeout", 0, SECTION_WAY, "SECONDS", false, NULL,
     N_("longest wait for an answer; else by RFC 5321"), set_number, AT(timeout_s), 1, 3600},
    {"deadline", 0, SECTION_WAY, "SECONDS", false, NULL, N_("longest time for the whole run"),
     set_number, AT(plan.deadline_s), 1, 86400},

    {"message", 0, SECTION_MESSAGE, "FILE", false, NULL,
     N_("send this file, as it is"), set_text, AT(message), 0, 0},
    {"attach", 0, SECTION_MESSAGE, "FILE", false, NULL, N_("attach this file to the test mail"),
     set_text, AT(attach), 0, 0},
    {"sample", 0, SECTION_MESSAGE, "NAME", false, "gtube eicar",
     N_("add a text that filters stop"), set_sample, 0, 0, 0},
    {"mail-param", 0, SECTION_MESSAGE, "TEXT", false, NULL,
     N_("for MAIL, as RET=HDRS; can be repeated"), add_words, AT(plan.mail_params), 0, 0},
    {"rcpt-param", 0, SECTION_MESSAGE, "TEXT", false, NULL,
     N_("for RCPT, as NOTIFY=NEVER; can be repeated"), add_words, AT(plan.rcpt_params), 0,
     0},
    {"bdat", 0, SECTION_MESSAGE, "OCTETS", true, NULL,
     N_("send it by BDAT, where that is offered"), set_chunk, 0, 1, SMTP_CHUNK_MAX},

    {"ca-file", 0, SECTION_TLS, "FILE", false, NULL, N_("trust these certificates (PEM)"), set_copy,
     AT(plan.ca_file), 0, 0},
    {"cert", 0, SECTION_TLS, "FILE", false, NULL, N_("client certificate (PEM)"), set_copy,
     AT(plan.cert_file), 0, 0},
    {"key", 0, SECTION_TLS, "FILE", false, NULL, N_("key of the client certificate (PEM)"),
     set_copy, AT(plan.key_file), 0, 0},

    {"auth-user", 0, SECTION_LOGIN, "USER", false, NULL, N_("log in as this user"), set_copy,
     AT(plan.auth_user), 0, 0},
    {"auth-mech", 0, SECTION_LOGIN, "MECHANISM", false,
     "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS XOAUTH2 "
     "OAUTHBEARER EXTERNAL",
     N_("mechanism; the best that is offered else"), set_mech, AT(plan.auth_mech), 0, 0},
    {"auth-in-clear", 0, SECTION_LOGIN, NULL, false, NULL,
     N_("send the password without encryption"), set_flag, AT(plan.auth_in_clear), 0, 1},
    {"password-file", 0, SECTION_LOGIN, "FILE", false, NULL, N_("read the password from this file"),
     set_text, AT(password_file), 0, 0},
    {"password-fd", 0, SECTION_LOGIN, "N", false, NULL,
     N_("read the password from an open descriptor"), set_number, AT(password_fd), 0, 65535},
    {"password-env", 0, SECTION_LOGIN, "NAME", false, NULL,
     N_("read the password from the environment"), set_text, AT(password_env), 0, 0},

    {"relay-test", 0, SECTION_CONSENT, NULL, false, NULL,
     N_("does the server forward mail for strangers?"), set_flag, AT(plan.relay_consent), 0, 1},
    {"send", 0, SECTION_CONSENT, NULL, false, NULL, N_("send one test mail"), set_flag,
     AT(plan.send_consent), 0, 1},
    {"read-only", 0, SECTION_CONSENT, NULL, false, NULL,
     N_("no relay test, no login, no mail in any case"), set_flag, AT(plan.read_only), 0, 1},

    {"replay", 0, SECTION_CONSENT, "FILE", false, NULL,
     N_("repeat a saved transcript, or a script"), set_text, AT(replay), 0, 0},

    {"demo", 0, SECTION_PRACTICE, "SCENARIO", true, NULL,
     N_("practise inside this program; nothing is sent"), set_demo, AT(scenario), 0, 0},
    {"practice", 0, SECTION_PRACTICE, "IP:PORT", false, NULL,
     N_("offer a practice server to other programs"), set_practice, 0, 0, 0},
    {"scenario", 0, SECTION_PRACTICE, "NAME", false, NULL,
     N_("which one --practice offers; healthy else"), set_text, AT(offered), 0, 0},
    {"practice-ca", 0, SECTION_PRACTICE, "FILE", false, NULL,
     N_("write its certificate authority there (PEM)"), set_text, AT(practice_ca), 0, 0},
    {"practice-public", 0, SECTION_PRACTICE, NULL, false, NULL,
     N_("let --practice use any address, not loopback alone"), set_flag, AT(practice_public), 0, 1},
    {"list-scenarios", 0, SECTION_PRACTICE, NULL, false, NULL, N_("list what can be practised"),
     set_constant, AT(mode), 0, OPTIONS_SCENARIOS},
    {"list-playbooks", 0, SECTION_PRACTICE, NULL, false, NULL,
     N_("list the symptoms that the guided mode knows"), set_constant, AT(mode), 0,
     OPTIONS_PLAYBOOKS},
    {"make-scenario", 0, SECTION_PRACTICE, "FILE", false, NULL,
     N_("make a saved JSON report a scenario that names nobody"), set_saved_run, AT(saved_run), 0,
     0},

    {"check", 0, SECTION_OUTPUT, NULL, false, NULL, N_("no screen: plain lines, summary last"),
     set_flag, AT(check), 0, 1},
    {"json", 0, SECTION_OUTPUT, NULL, false, NULL, N_("no screen: one JSON document"), set_flag,
     AT(json), 0, 1},
    {"only", 0, SECTION_OUTPUT, "CHECKS", false, NULL, N_("only these, as dns.mx,tls.starttls"),
     set_only, 0, 0, 0},
    {"strict", 0, SECTION_OUTPUT, NULL, false, NULL, N_("warnings count as failures"), set_flag,
     AT(strict), 0, 1},
    {"save", 0, SECTION_OUTPUT, "FILE", false, NULL, N_("save the report: .txt, .md or .json; as a ticket: .ticket.txt, .ticket.md"),
     set_text, AT(save), 0, 0},
    {"tee", 0, SECTION_OUTPUT, "FILE", false, NULL, N_("write the transcript while it grows"),
     set_text, AT(tee), 0, 0},
    {"quiet", 'q', SECTION_OUTPUT, NULL, false, NULL, N_("problems and the summary only"), set_flag,
     AT(quiet), 0, 1},
    {"verbose", 'v', SECTION_OUTPUT, NULL, false, NULL, N_("explain what went well, too"), set_flag,
     AT(verbose), 0, 1},

    {"explain", 0, SECTION_EXPLAIN, "TEXT", true, NULL,
     N_("what a reply, or a line of a log or bounce, means; without TEXT: each line of standard "
        "input"),
     set_explain, AT(explain), 0, 0},
    {"stage", 0, SECTION_EXPLAIN, "STAGE", false,
     "dns connect banner ehlo starttls tls auth mail rcpt data dot quit",
     N_("what it was the reply to"), set_stage, 0, 0, 0},

    {"plain", 0, SECTION_SCREEN, NULL, false, NULL, N_("plain lines instead of the full screen"),
     set_flag, AT(plain), 0, 1},
    {"ascii", 0, SECTION_SCREEN, NULL, false, NULL, N_("no character beyond ASCII"), set_flag,
     AT(ascii), 0, 1},
    {"glyphs", 0, SECTION_SCREEN, "SET", false, "auto utf8 ascii", N_("marks and lines"),
     set_choice, AT(glyphs), 0, 0},
    {"color", 0, SECTION_SCREEN, "WHEN", false, "auto always never", N_("colours"), set_choice,
     AT(color), 0, 0},
    {"no-color", 0, SECTION_SCREEN, NULL, false, NULL, N_("the same as --color=never"),
     set_constant, AT(color), 0, OPTIONS_COLOR_NEVER},
    {"mouse", 0, SECTION_SCREEN, NULL, false, NULL, N_("take the mouse from the start"), set_flag,
     AT(mouse), 0, 1},
    {"no-mouse", 0, SECTION_SCREEN, NULL, false, NULL, N_("leave the mouse to the terminal"),
     set_flag, AT(mouse), 0, 0},
    {"no-animation", 0, SECTION_SCREEN, NULL, false, NULL, N_("nothing turns while waiting"),
     set_flag, AT(no_animation), 0, 1},

    {"lang", 0, SECTION_OTHER, "LANGUAGE", false, NULL, N_("language of the texts, as en or es"),
     set_text, AT(lang), 0, 0},
    {"help", 'h', SECTION_OTHER, NULL, false, NULL, N_("this text"), set_constant, AT(mode), 0,
     OPTIONS_HELP},
    {"version", 'V', SECTION_OTHER, NULL, false, NULL, N_("version and libraries"), set_constant,
     AT(mode), 0, OPTIONS_VERSION},

    {"print-man", 0, SECTION_HIDDEN, NULL, false, NULL, "", set_constant, AT(mode), 0, OPTIONS_MAN},
    {"print-completion", 0, SECTION_HIDDEN, "SHELL", false, "bash zsh fish", "", set_shell,
     AT(shell), 0, 0},
    {"password", 0, SECTION_FORBIDDEN, "", true, NULL, "", refuse_password, 0, 0, 0},
};
const size_t option_row_count = ARRAY_LEN(option_rows);
