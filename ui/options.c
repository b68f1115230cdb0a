#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "readfile.h"
#include "sasl.h"
#include "text.h"

#define WORDS_MAX 64        /* in the options of a scenario */
#define DNS_TIMEOUT_MS 5000 /* of one try, where nothing is said */

void options_init(struct options *o)
{
    memset(o, 0, sizeof(*o));
    plan_init(&o->plan);
    o->password_fd = -1;
}

void options_free(struct options *o)
{
    plan_free(&o->plan);
    script_free(o->script);
    o->script = NULL;
}

static const char *visible_name(const void *ctx, size_t i)
{
    (void)ctx;
    return option_rows[i].section < SECTION_HIDDEN ? option_rows[i].name : NULL;
}

static enum status unknown_option(const char *name, struct error *error)
{
    size_t i = nearest_word(name, visible_name, NULL, option_row_count);
    if (i < option_row_count) {
        return error_set(error, ST_INVALID, 0,
                         _("There is no option --%s. The nearest one is --%s."), name,
                         option_rows[i].name);
    }
    return error_set(error, ST_INVALID, 0, _("There is no option --%s. See smtpscope --help."),
                     name);
}

static const struct option_row *find_long(const char *name, size_t len)
{
    for (size_t i = 0; i < option_row_count; i++) {
        if (strlen(option_rows[i].name) == len && memcmp(option_rows[i].name, name, len) == 0) {
            return &option_rows[i];
        }
    }
    return NULL;
}

static const struct option_row *find_letter(char letter)
{
    for (size_t i = 0; i < option_row_count; i++) {
        if (option_rows[i].letter == letter) {
            return &option_rows[i];
        }
    }
    return NULL;
}

/* Whoever typed it there has shown it to the process list already; it need not stay. */
static void wipe_password(char *value)
{
    if (value != NULL) {
        secret_wipe(value, strlen(value));
    }
}

static enum status parse_long(struct options *o, int argc, char **argv, int *i, struct error *error)
{
    char *name = argv[*i] + 2;
    char *equals = strchr(name, '=');
    size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct option_row *row = find_long(name, len);
    char *value = equals != NULL ? equals + 1 : NULL;
    if (row == NULL) {
        char shown[NEAREST_WORD_MAX + 1];
        size_t n = len < NEAREST_WORD_MAX ? len : NEAREST_WORD_MAX;
        memcpy(shown, name, n);
        shown[n] = '\0';
        return unknown_option(shown, error);
    }
    if (row->section == SECTION_FORBIDDEN) {
        if (value == NULL && *i + 1 < argc && argv[*i + 1][0] != '-') {
            value = argv[++*i];
        }
        enum status st = row->set(o, row, value, error);
        wipe_password(value);
        return st;
    }
    if (row->value == NULL && value != NULL) {
        return error_set(error, ST_INVALID, 0, _("The option --%s takes no value."), row->name);
    }
    if (row->value != NULL && value == NULL && !row->value_optional) {
        if (*i + 1 >= argc) {
            return error_set(error, ST_INVALID, 0, _("The option --%s needs a value: %s."),
                             row->name, row->value);
        }
        value = argv[++*i];
    }
    return row->set(o, row, value, error);
}

static enum status parse_letters(struct options *o, const char *letters, struct error *error)
{
    for (; *letters != '\0'; letters++) {
        const struct option_row *row = find_letter(*letters);
        if (row == NULL) {
            return error_set(error, ST_INVALID, 0,
                             _("There is no option -%c. See smtpscope --help."), *letters);
        }
        enum status st = row->set(o, row, NULL, error);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

enum status options_parse(struct options *o, int argc, char **argv, struct error *error)
{
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        enum status st = ST_OK;
        char *word = argv[i];
        if (only_words || word[0] != '-' || word[1] == '\0') {
            if (o->target != NULL && o->mode == OPTIONS_EXPLAIN) {
                return error_set(error, ST_INVALID, 0,
                                 _("--explain takes one text: put the reply in quotes."));
            }
            if (o->target != NULL && !o->from_scenario) {
                return error_set(
                    error, ST_INVALID, 0,
                    _("There can be only one target, but there are \"%s\" and \"%s\"."), o->target,
                    word);
            }
            o->target = word;
        } else if (strcmp(word, "--") == 0) {
            only_words = true;
        } else if (word[1] == '-') {
            st = parse_long(o, argc, argv, &i, error);
        } else {
            st = parse_letters(o, word + 1, error);
        }
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

enum status options_parse_text(struct options *o, const char *text, char **storage,
                               struct error *error)
{
    char *words[WORDS_MAX];
    int count = 0;
    *storage = str_dup(text != NULL ? text : "");
    if (*storage == NULL) {
        return error_set(error, ST_NOMEM, 0, _("There is not enough memory."));
    }
    for (char *p = *storage; *p != '\0' && count < WORDS_MAX;) {
        p += strspn(p, " ");
        if (*p != '\0') {
            words[count++] = p;
            p += strcspn(p, " ");
            if (*p == ' ') {
                *p++ = '\0';
            }
        }
    }
    o->from_scenario = true;
    enum status st = options_parse(o, count, words, error);
    o->from_scenario = false;
    return st;
}

static void set_limits(struct options *o)
{
    struct smtp_limits *l = &o->plan.limits;
    int ms = o->timeout_s * 1000;
    int *const limits[] = {&l->connect, &l->banner, &l->ehlo, &l->starttls, &l->tls,
                           &l->auth,    &l->mail,   &l->rcpt, &l->data,     &l->block,
                           &l->dot,     &l->quit,   &l->other};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        *limits[i] = ms;
    }
    /* Name servers answer soon or not at all, and are asked again. */
    if (ms < DNS_TIMEOUT_MS) {
        o->plan.dns.timeout_ms = ms;
    }
}

static enum status check_without_practice(const struct options *o, struct error *error)
{
    if (o->offered != NULL) {
        return error_set(error, ST_INVALID, 0,
                         _("--scenario says what --practice offers. A scenario to practise with is "
                           "given as --demo=%s."),
                         o->offered);
    }
    if (o->practice_public || o->practice_ca != NULL) {
        return error_set(error, ST_INVALID, 0, _("--%s needs --practice."),
                         o->practice_public ? "practice-public" : "practice-ca");
    }
    return ST_OK;
}

enum status options_check_practice(const struct options *o, struct error *error)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {
        {o->demo, "demo"},
        {o->check, "check"},
        {o->json, "json"},
        {o->save != NULL, "save"},
        {o->tee != NULL, "tee"},
        {o->plan.relay_consent, "relay-test"},
        {o->plan.send_consent, "send"},
        {o->plan.auth_user != NULL, "auth-user"},
    };
    if (!o->practice) {
        return check_without_practice(o, error);
    }
    if (o->target != NULL) {
        return error_set(error, ST_INVALID, 0,
                         _("--practice offers a server and tests none, so that it takes no target. "
                           "--host and --port choose another server of the scenario."));
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (others[i].given) {
            return error_set(error, ST_INVALID, 0,
                             _("--practice offers a server and tests none: --%s does not go with "
                               "it."),
                             others[i].name);
        }
    }
    if (!o->practice_public && net_address_range(&o->practice_at) != RANGE_LOOPBACK) {
        char at[NET_ADDRESS_TEXT];
        net_address_format(&o->practice_at, at, sizeof(at));
        return error_set(error, ST_INVALID, 0,
                         _("--practice offers a server to this machine alone, at 127.0.0.1, ::1 or "
                           "localhost. For %s, add --practice-public."),
                         at);
    }
    return ST_OK;
}

enum status options_check(const struct options *o, struct error *error)
{
    const struct plan *p = &o->plan;
    int sources = (o->password_file != NULL) + (o->password_env != NULL) + (o->password_fd >= 0);
    if (sources > 1) {
        return error_set(error, ST_INVALID, 0, _("Only one option can say where the password is."));
    }
    if (sources == 1 && p->auth_user == NULL) {
        return error_set(error, ST_INVALID, 0, _("A password needs a user: --auth-user."));
    }
    if (p->read_only && (p->relay_consent || p->send_consent)) {
        return error_set(error, ST_INVALID, 0,
                         _("--read-only forbids what --relay-test and --send ask for."));
    }
    if (o->message != NULL && (o->attach != NULL || p->sample != SAMPLE_NONE ||
                               p->subject != NULL)) {
        return error_set(error, ST_INVALID, 0,
                         _("--message sends a file as it is; --subject, --attach and --sample "
                           "belong to the built-in test mail."));
    }
    if (p->cert_file == NULL && p->key_file != NULL) {
        return error_set(error, ST_INVALID, 0, _("--key needs --cert."));
    }
    if (o->quiet && o->verbose) {
        return error_set(error, ST_INVALID, 0, _("--quiet and --verbose exclude each other."));
    }
    return ST_OK;
}

enum status options_finish(struct options *o, struct error *error)
{
    struct plan *p = &o->plan;
    enum status st = ST_OK;
    if (o->target != NULL) {
        st = plan_set_target(p, o->target, error);
    }
    if (st == ST_OK && o->host != NULL) {
        st = plan_set_host(p, o->host, error);
    }
    if (st != ST_OK) {
        return st;
    }
    if (o->port != 0) {
        p->port = (uint16_t)o->port;
    }
    if (o->tls != PLAN_TLS_AUTO) {
        p->tls = (enum plan_tls)o->tls;
    }
    p->family = o->family != 0 ? o->family : p->proxy.source.family;
    if (o->replay != NULL) {
        /* They are about the script, and not about the steps. */
        unsigned envelope = SCRIPT_ENVELOPE | SCRIPT_ASKING;
        o->replay_consent = p->send_consent    ? envelope | SCRIPT_MESSAGE
                            : p->relay_consent ? envelope
                                               : 0u;
        p->send_consent = p->relay_consent = false;
    }
    if (o->timeout_s > 0) {
        set_limits(o);
    }
    bool target = p->domain != NULL || p->host != NULL;
    return target ? plan_validate(p, error) : ST_OK;
}

static enum status password_from_env(struct options *o, struct error *error)
{
    char *value = getenv(o->password_env);
    if (value == NULL || value[0] == '\0') {
        return error_set(error, ST_INVALID, 0,
                         _("The environment variable %s is empty or not set."), o->password_env);
    }
    enum status st = secret_set(&o->plan.password, value, strlen(value));
    /* The environment of a process can be read as long as it lives. */
    secret_wipe(value, strlen(value));
    unsetenv(o->password_env);
    if (st != ST_OK) {
        return error_set(error, st, 0, _("The password is longer than %d bytes."), SECRET_MAX);
    }
    return ST_OK;
}

enum status options_password(struct options *o, struct error *error)
{
    struct plan *p = &o->plan;
    enum status st = ST_OK;
    if (o->password_file != NULL) {
        st = secret_read_file(&p->password, o->password_file, error);
    } else if (o->password_fd >= 0) {
        st = secret_read_fd(&p->password, o->password_fd, error);
    } else if (o->password_env != NULL) {
        st = password_from_env(o, error);
    }
    bool external = p->auth_mech != NULL && sasl_mech_find(p->auth_mech) == MECH_EXTERNAL;
    p->auth_wanted =
        p->auth_user != NULL && (secret_is_set(&p->password) || external) && !p->read_only;
    return st;
}

/* The first consent that the script lacks, as the options that give it; NULL: none. */
static const char *missing_consent(const struct options *o, unsigned needs)
{
    unsigned lacking = needs & ~o->replay_consent;
    if ((lacking & SCRIPT_MESSAGE) != 0) {
        return "--send";
    }
    if ((lacking & (SCRIPT_ENVELOPE | SCRIPT_ASKING)) != 0) {
        return "--relay-test, --send";
    }
    if ((lacking & (SCRIPT_LOGIN | SCRIPT_GAPS)) != 0 && !o->plan.auth_wanted) {
        return "--auth-user, --password-file";
    }
    return NULL;
}

static enum status check_replay(const struct options *o, struct error *error)
{
    unsigned needs = script_needs(o->script);
    if (o->plan.read_only && needs != 0) {
        return error_set(error, ST_DENIED, 0,
                         _("The script does more than --read-only allows."));
    }
    const char *option = missing_consent(o, needs);
    if (option == NULL) {
        return ST_OK;
    }
    return error_set(error, ST_DENIED, 0, _("The script needs a consent that was not given: %s."),
                     option);
}

static enum status read_script(struct options *o, struct error *error)
{
    struct buf text;
    buf_init(&text, SCRIPT_BYTES_MAX);
    enum status st = readfile(o->replay, &text, error);
    if (st == ST_OK) {
        st = script_read(o->replay, buf_str(&text), text.len, &o->script, error);
    }
    buf_free(&text);
    return st == ST_OK ? check_replay(o, error) : st;
}

static enum status read_part(const char *path, struct plan_bytes *bytes, char **name,
                             struct error *error)
{
    struct buf b;
    const char *slash = strrchr(path, '/');
    buf_init(&b, PLAN_MESSAGE_MAX);
    enum status st = readfile(path, &b, error);
    if (st == ST_OK && str_set(name, slash != NULL ? slash + 1 : path) != ST_OK) {
        st = error_set(error, ST_NOMEM, 0, _("There is not enough memory."));
    }
    if (st == ST_OK) {
        plan_take_bytes(bytes, &b);
    }
    buf_free(&b);
    return st;
}

enum status options_message(struct options *o, struct error *error)
{
    struct plan *p = &o->plan;
    enum status st = ST_OK;
    if (o->message != NULL) {
        st = read_part(o->message, &p->message, &p->message_name, error);
    }
    if (st == ST_OK && o->attach != NULL) {
        st = read_part(o->attach, &p->attach, &p->attach_name, error);
    }
    return st;
}

enum status options_files(struct options *o, struct error *error)
{
    enum status st = options_message(o, error);
    return st == ST_OK && o->replay != NULL ? read_script(o, error) : st;
}

const char *options_find_lang(int argc, char **argv)
{
    static const char name[] = "--lang";
    const size_t len = sizeof(name) - 1;
    const char *found = NULL;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], name, len) != 0) {
            continue;
        }
        if (argv[i][len] == '=') {
            found = argv[i] + len + 1;
        } else if (argv[i][len] == '\0' && i + 1 < argc) {
            found = argv[++i];
        }
    }
    return found;
}

bool options_headless(const struct options *o)
{
    return o->check || o->json || o->plain || o->replay != NULL;
}
