#include "run_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "run_file_json.h"
#include "text.h"
#include "xclient.h"

#define SCHEMA "smtpscope.report/"
#define SCHEMA_VERSION "1"
#define SHOWN_MAX 80
#define TARGET_TEXT_MAX ((size_t)4096)
#define READ_STEP 16384

struct shown {
    char text[SHOWN_MAX];
};

static struct shown show(const char *name)
{
    struct shown s;
    escape_copy(s.text, sizeof(s.text), name, strlen(name), 0);
    return s;
}

static enum status read_target(struct run_reader *r, const json_t *root)
{
    struct plan *p = &r->f->plan;
    const json_t *o = NULL;
    const json_t *ports = NULL;
    enum status st = run_object(r, root, "target", &o);
    if (st == ST_OK && o == NULL) {
        st = run_bad(r, "target");
    }
    if (st == ST_OK) {
        st = run_string(r, o, "input", TARGET_TEXT_MAX, &p->input);
    }
    if (st == ST_OK) {
        st = run_string(r, o, "domain", DNS_NAME_MAX, &p->domain);
    }
    if (st == ST_OK) {
        st = run_string(r, o, "host", DNS_NAME_MAX, &p->host);
    }
    if (st == ST_OK) {
        st = run_list(r, o, "ports", &ports);
    }
    const json_t *port = json_array_get(ports, 0);
    if (st == ST_OK && json_is_integer(port) && json_integer_value(port) > 0 &&
        json_integer_value(port) <= UINT16_MAX) {
        p->port = (uint16_t)json_integer_value(port);
    }
    const char *name = p->domain != NULL ? p->domain : p->host != NULL ? p->host : p->input;
    return st == ST_OK ? str_set(&r->f->record.target, name) : st;
}

static const char *tls_at(size_t i)
{
    return plan_tls_name((enum plan_tls)i);
}

static enum status read_wishes(struct run_reader *r, const json_t *o)
{
    struct plan *p = &r->f->plan;
    struct {
        const char *key;
        char **slot;
    } const texts[] = {{"helo", &p->helo},
                       {"from", &p->from},
                       {"to", &p->to},
                       {"host", &p->host},
                       {"auth_user", &p->auth_user},
                       {"auth_mech", &p->auth_mech},
                       {"xclient", &p->xclient},
                       {"mail_params", &p->mail_params},
                       {"rcpt_params", &p->rcpt_params}};
    struct {
        const char *key;
        bool *slot;
    } const flags[] = {{"relay_test", &p->relay_consent},    {"send", &p->send_consent},
                       {"read_only", &p->read_only},         {"first_path", &p->first_path},
                       {"auth_in_clear", &p->auth_in_clear}, {"lmtp", &p->lmtp}};
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(texts); i++) {
        st = run_string(r, o, texts[i].key, TARGET_TEXT_MAX, texts[i].slot);
    }
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(flags); i++) {
        st = run_bool(r, o, flags[i].key, flags[i].slot);
    }
    return st;
}

static const char *sample_at(size_t i)
{
    return sample_name((enum sample)i);
}

/* What --xclient and --proxy would not take cannot have been asked for. */
static enum status read_identity(struct run_reader *r, const json_t *o)
{
    struct plan *p = &r->f->plan;
    char proxy[PROXY_WISH_TEXT] = "";
    struct error why;
    struct buf line;
    buf_init(&line, 4 * XCLIENT_LINE_MAX);
    enum status st = run_text(r, o, "proxy", proxy, sizeof(proxy));
    if (st == ST_OK && proxy[0] != '\0' && proxy_wish_parse(proxy, &p->proxy, &why) != ST_OK) {
        st = run_bad(r, "proxy");
    }
    if (st == ST_OK && p->xclient != NULL) {
        st = xclient_line(p->xclient, &line, &why);
        st = st == ST_OK || st == ST_NOMEM ? st : run_bad(r, "xclient");
    }
    buf_free(&line);
    return st;
}

/* A report says no more of a file than that there was one: it is empty here. */
static enum status read_file_wish(struct run_reader *r, const json_t *o, const char *key,
                                  struct plan_bytes *slot)
{
    struct buf nothing;
    bool given = false;
    enum status st = run_bool(r, o, key, &given);
    buf_init(&nothing, 1);
    if (st == ST_OK && given) {
        plan_take_bytes(slot, &nothing);
        st = slot->p != NULL ? ST_OK : ST_NOMEM;
    }
    return st;
}

static enum status read_message(struct run_reader *r, const json_t *o)
{
    struct plan *p = &r->f->plan;
    int64_t chunk = 0;
    size_t sample = SAMPLE_NONE;
    enum status st = run_integer(r, o, "bdat", 1, SMTP_CHUNK_MAX, &chunk);
    if (st == ST_OK) {
        st = run_word(r, o, "sample", sample_at, SAMPLE_EICAR + 1, &sample);
    }
    if (st == ST_OK) {
        st = read_file_wish(r, o, "message", &p->message);
    }
    if (st == ST_OK) {
        st = read_file_wish(r, o, "attach", &p->attach);
    }
    p->chunk = (size_t)chunk;
    p->sample = (enum sample)sample;
    return st;
}

static enum status read_options(struct run_reader *r, const json_t *root)
{
    struct plan *p = &r->f->plan;
    const json_t *o = NULL;
    int64_t port = p->port, family = 0, timeout = 0, deadline = 0;
    size_t tls = PLAN_TLS_AUTO;
    enum status st = run_object(r, root, "options", &o);
    if (st != ST_OK || o == NULL) {
        return st;
    }
    st = read_wishes(r, o);
    if (st == ST_OK) {
        st = read_identity(r, o);
    }
    if (st == ST_OK) {
        st = read_message(r, o);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "port", 0, UINT16_MAX, &port);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "family", 4, 6, &family);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "timeout_s", 1, 86400, &timeout);
    }
    if (st == ST_OK) {
        st = run_integer(r, o, "deadline_s", 1, 86400, &deadline);
    }
    if (st == ST_OK) {
        st = run_word(r, o, "tls", tls_at, PLAN_TLS_NONE + 1, &tls);
    }
    if (st == ST_OK) {
        st = run_address(r, o, "source", &p->source);
    }
    p->port = (uint16_t)port;
    p->family = (int)family;
    p->tls = (enum plan_tls)tls;
    p->deadline_s = (int)deadline;
    if (timeout > 0) {
        int ms = (int)timeout * 1000;
        p->limits = (struct smtp_limits){ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms};
    }
    return st;
}

/* Path 0: our own side. */
static enum status read_self(struct run_reader *r, const json_t *root)
{
    const json_t *o = NULL;
    enum status st = run_object(r, root, "self", &o);
    if (st != ST_OK || o == NULL) {
        return st;
    }
    struct facts *f = r->f->record.paths[0] = calloc(1, sizeof(*f));
    if (f == NULL) {
        return ST_NOMEM;
    }
    facts_init(f, 0);
    r->f->record.path_count = 1;
    st = run_string(r, o, "address", NET_ADDRESS_TEXT, &f->own_address);
    if (st == ST_OK) {
        st = run_string(r, o, "ptr", DNS_NAME_MAX, &f->own_ptr);
    }
    if (st == ST_OK) {
        st = run_address(r, o, "local", &f->local);
    }
    return st == ST_OK ? run_bool(r, o, "ptr_confirmed", &f->own_ptr_confirmed) : st;
}

static enum status read_head(struct run_reader *r, const json_t *root)
{
    struct record *record = &r->f->record;
    const json_t *tool = NULL;
    int64_t started = 0;
    enum status st = run_object(r, root, "tool", &tool);
    if (st == ST_OK) {
        st = run_text(r, tool, "version", r->f->version, sizeof(r->f->version));
    }
    if (st == ST_OK) {
        st = run_bool(r, root, "demo", &record->demo);
    }
    if (st == ST_OK) {
        st = run_time(r, root, "started", &started);
    }
    if (st == ST_OK) {
        st = run_ms(r, root, "elapsed_ms", &record->elapsed_us);
    }
    record->started_wall_us = started * US_PER_S;
    record->started = record->done = true;
    if (st == ST_OK) {
        st = read_target(r, root);
    }
    if (st == ST_OK) {
        st = read_options(r, root);
    }
    return st == ST_OK ? read_self(r, root) : st;
}

static enum status read_lists(struct run_reader *r, const json_t *root)
{
    static const struct {
        const char *key;
        bool required, exchange;
        enum status (*read)(struct run_reader *r, const json_t *list);
    } lists[] = {{"checks", true, false, run_read_checks},
                 {"paths", true, false, run_read_paths},
                 {"dns", false, true, run_read_answers},
                 {"connections", false, true, run_read_dials},
                 {"transcript", true, false, run_read_lines}};
    enum status st = ST_OK;
    r->f->has_exchanges = true;
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(lists); i++) {
        const json_t *list = NULL;
        st = run_list(r, root, lists[i].key, &list);
        if (st == ST_OK && list == NULL && lists[i].required) {
            st = run_bad(r, lists[i].key);
        }
        r->f->has_exchanges = r->f->has_exchanges && (list != NULL || !lists[i].exchange);
        if (st == ST_OK) {
            st = lists[i].read(r, list);
        }
    }
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        struct record *record = &r->f->record;
        record->verdict = verdict_worse(record->verdict, record->steps[i].verdict);
    }
    return st;
}

/* Whether this is a report at all, and one that we understand. */
static enum status check_schema(const json_t *root, const char *name, struct error *error)
{
    const char *schema = json_string_value(json_object_get(root, "schema"));
    size_t len = sizeof(SCHEMA) - 1;
    if (schema == NULL || strncmp(schema, SCHEMA, len) != 0) {
        return error_set(error, ST_INVALID, 0, _("%s is no saved run of smtpscope."),
                         show(name).text);
    }
    if (strcmp(schema + len, SCHEMA_VERSION) != 0) {
        return error_set(error, ST_INVALID, 0,
                         _("%s was saved by another version of smtpscope (%s); this one reads %s."),
                         show(name).text, show(schema).text, SCHEMA SCHEMA_VERSION);
    }
    return ST_OK;
}

static enum status not_json(const json_error_t *e, const char *name, struct error *error)
{
    if (json_error_code(e) == json_error_out_of_memory) {
        return error_set(error, ST_NOMEM, 0, _("There is not enough memory."));
    }
    if (json_error_code(e) == json_error_premature_end_of_input) {
        return error_set(error, ST_INVALID, 0, _("%s ends too early: a part of it is missing."),
                         show(name).text);
    }
    return error_set(error, ST_INVALID, 0, _("%s is no JSON (line %d, column %d)."),
                     show(name).text, e->line, e->column);
}

static enum status read_root(struct run_file *f, const json_t *root, const char *name,
                             struct error *error)
{
    struct run_reader r = {.f = f};
    enum status st = check_schema(root, name, error);
    if (st != ST_OK) {
        return st;
    }
    st = read_head(&r, root);
    if (st == ST_OK) {
        st = read_lists(&r, root);
    }
    if (st == ST_INVALID) {
        return error_set(error, st, 0,
                         _("%s is no report that can be read: \"%s\" is missing or not as it "
                           "should be."),
                         show(name).text, r.bad);
    }
    return st == ST_OK ? ST_OK : error_set(error, st, 0, _("There is not enough memory."));
}

enum status run_file_read(struct run_file *out, const char *name, const char *text, size_t len,
                          struct error *error)
{
    json_error_t e;
    memset(out, 0, sizeof(*out));
    plan_init(&out->plan);
    if (record_init(&out->record, 1) != ST_OK) {
        return error_set(error, ST_NOMEM, 0, _("There is not enough memory."));
    }
    json_t *root = json_loadb(len > 0 ? text : "", len, JSON_ALLOW_NUL, &e);
    enum status st = root != NULL ? read_root(out, root, name, error) : not_json(&e, name, error);
    json_decref(root);
    if (st != ST_OK) {
        run_file_free(out);
    }
    return st;
}

static enum status read_all(int fd, struct buf *out)
{
    char bytes[READ_STEP];
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? ST_OK : ST_IO;
        }
        enum status st = buf_add(out, bytes, (size_t)n);
        if (st != ST_OK) {
            return st;
        }
    }
}

static enum status fail_system(struct error *error, const char *path, int sys)
{
    enum status st = sys == EACCES || sys == EPERM ? ST_DENIED : ST_IO;
    return error_set(error, st, sys, _("%s cannot be read: %s."), show(path).text, strerror(sys));
}

static enum status load(const char *path, struct buf *out, struct error *error)
{
    struct stat info;
    bool standard = strcmp(path, "-") == 0;
    /* A pipe by name must not make the program wait for somebody to write. */
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return fail_system(error, path, errno);
    }
    enum status st = ST_OK;
    if (!standard && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))) {
        st = error_set(error, ST_INVALID, 0, _("%s is not a regular file."), show(path).text);
    }
    if (st == ST_OK) {
        st = read_all(fd, out);
        int sys = errno;
        if (st == ST_LIMIT) {
            st = error_set(error, ST_LIMIT, 0, _("%s is larger than %zu MiB, which is too large."),
                           show(path).text, RUN_FILE_MAX >> 20);
        } else if (st == ST_IO) {
            st = fail_system(error, path, sys);
        } else if (st != ST_OK) {
            st = error_set(error, st, 0, _("There is not enough memory."));
        }
    }
    if (!standard) {
        close(fd);
    }
    return st;
}

enum status run_file_open(struct run_file *out, const char *path, struct error *error)
{
    struct buf text;
    buf_init(&text, RUN_FILE_MAX);
    enum status st = load(path, &text, error);
    if (st == ST_OK) {
        st = run_file_read(out, path, buf_str(&text), text.len, error);
    }
    buf_free(&text);
    return st;
}

void run_file_free(struct run_file *f)
{
    if (f->record.lines != NULL) {
        record_free(&f->record);
    }
    plan_free(&f->plan);
}
