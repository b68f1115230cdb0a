#include "recorded.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

#define OPTIONS_MAX 4096
#define VERSION_SHOWN 16

static bool was_done(const struct recorded *x, enum check_id check)
{
    enum verdict v = x->r->steps[check].verdict;
    return v != VERDICT_PENDING && v != VERDICT_RUNNING && v != VERDICT_SKIPPED && v != VERDICT_ASK;
}

/* What this step said behind the verb. */
static bool said_address(const struct recorded *x, enum check_id check, const char *verb, char *out,
                         size_t size)
{
    for (size_t i = 0; i < x->talk_count; i++) {
        for (size_t k = 0; k < x->talks[i].count; k++) {
            const struct talk_turn *turn = &x->talks[i].turns[k];
            struct line line;
            if (strcmp(turn->verb, verb) == 0 && lines_get(x->r->lines, turn->command, &line) &&
                line.check == check && recorded_mailbox(x, turn, out, size)) {
                return true;
            }
        }
    }
    return false;
}

void recorded_add_option(struct recorded *x, struct buf *out, const char *name, const char *value)
{
    bool plain = value == NULL || value[0] != '\0';
    for (const char *p = value; p != NULL && *p != '\0'; p++) {
        plain = plain && *p > ' ' && *p < 0x7f;
    }
    if (plain) {
        recorded_keep(x, buf_addf(out, "%s--%s%s%s", out->len > 0 ? " " : "", name,
                                  value != NULL ? " " : "", value != NULL ? value : ""));
    }
}

static void add_mailbox_option(struct recorded *x, struct buf *out, const char *name,
                               const char *address)
{
    struct buf example;
    buf_init(&example, 4 * DNS_NAME_MAX);
    recorded_keep(x, share_safe_mailbox(x->share, address, strlen(address), &example));
    if (address[0] == '\0') {
        recorded_keep(x, buf_addf(out, "%s--%s=", out->len > 0 ? " " : "", name));
    } else {
        recorded_add_option(x, out, name, buf_str(&example));
    }
    buf_free(&example);
}

/* The sender, where it is not the one that would be made up. */
static void add_sender(struct recorded *x, struct buf *out)
{
    char address[RECORDED_MAILBOX_SIZE];
    char usual[RECORDED_MAILBOX_SIZE + 16] = "";
    if (x->plan->from != NULL) {
        add_mailbox_option(x, out, "from", x->plan->from);
        return;
    }
    const struct facts *path = record_path(x->r);
    if (path != NULL && path->ehlo_name != NULL) {
        snprintf(usual, sizeof(usual), "postmaster@%.*s", RECORDED_MAILBOX_SIZE - 1,
                 path->ehlo_name);
    }
    bool said = said_address(x, CHECK_RELAY, "MAIL", address, sizeof(address)) ||
                said_address(x, CHECK_SEND, "MAIL", address, sizeof(address));
    bool user = said && x->user != NULL && strcmp(x->user, address) == 0;
    if (said && !user && strcmp(address, usual) != 0) {
        add_mailbox_option(x, out, "from", address);
    }
}

static void add_consents(struct recorded *x, struct buf *out)
{
    char address[RECORDED_MAILBOX_SIZE];
    if (was_done(x, CHECK_RELAY) || x->plan->relay_consent) {
        recorded_add_option(x, out, "relay-test", NULL);
    }
    bool sent = was_done(x, CHECK_SEND) || x->plan->send_consent;
    if (sent) {
        recorded_add_option(x, out, "send", NULL);
    }
    if (x->plan->to != NULL) {
        add_mailbox_option(x, out, "to", x->plan->to);
    } else if (sent && said_address(x, CHECK_SEND, "RCPT", address, sizeof(address))) {
        add_mailbox_option(x, out, "to", address);
    }
    add_sender(x, out);
    if (x->plan->read_only) {
        recorded_add_option(x, out, "read-only", NULL);
    }
}

static const struct talk_turn *find_login(const struct recorded *x)
{
    for (size_t i = 0; i < x->talk_count; i++) {
        for (size_t k = 0; k < x->talks[i].count; k++) {
            const struct talk_turn *turn = &x->talks[i].turns[k];
            if (turn->event == TALK_COMMAND && strcmp(turn->verb, "AUTH") == 0) {
                return turn;
            }
        }
    }
    return NULL;
}

/* The second word of "AUTH PLAIN ...", without the channel binding that no practice server has. */
static bool read_mech(const struct recorded *x, const struct talk_turn *login, char *out,
                      size_t size)
{
    static const char plus[] = "-PLUS";
    struct line line;
    if (login == NULL || !lines_get(x->r->lines, login->command, &line) || line.len < 6) {
        return false;
    }
    size_t n = 0;
    while (n + 5 < line.len && n + 1 < size && line.text[n + 5] > ' ' && line.text[n + 5] < 0x7f) {
        out[n] = line.text[n + 5];
        n++;
    }
    out[n] = '\0';
    size_t p = sizeof(plus) - 1;
    bool binds = n > p && strcmp(out + n - p, plus) == 0;
    if (binds) {
        out[n - p] = '\0';
    }
    return binds;
}

static void find_login_wish(struct recorded *x)
{
    static const char *const wished[] = {"smtp.auth.no_tls", "smtp.auth.no_common",
                                         "smtp.auth.unverified"};
    x->logs_in = find_login(x) != NULL ||
                 (x->plan->auth_user != NULL && x->r->steps[CHECK_AUTH].verdict != VERDICT_ASK &&
                  !x->plan->read_only);
    for (size_t i = 0; i < ARRAY_LEN(wished); i++) {
        x->logs_in = x->logs_in || recorded_found(x, wished[i]);
    }
}

static void add_login(struct recorded *x, struct buf *out)
{
    char mech[32];
    const struct talk_turn *login = find_login(x);
    struct buf user;
    if (!x->logs_in) {
        return;
    }
    buf_init(&user, 4 * DNS_NAME_MAX);
    recorded_keep(x, recorded_user(x, &user));
    recorded_add_option(x, out, "auth-user", buf_str(&user));
    buf_free(&user);
    if (x->plan->auth_mech != NULL) {
        size_t n = strlen(x->plan->auth_mech);
        str_copy(mech, sizeof(mech), x->plan->auth_mech);
        if (n > 5 && n < sizeof(mech) && strcmp(mech + n - 5, "-PLUS") == 0) {
            mech[n - 5] = '\0';
        }
        recorded_add_option(x, out, "auth-mech", mech);
    } else if (read_mech(x, login, mech, sizeof(mech))) {
        recorded_add_option(x, out, "auth-mech", mech);
    }
    const struct facts *path = record_path(x->r);
    bool proved = path != NULL && path->tls != NULL && path->tls->verified;
    if (x->plan->auth_in_clear || (login != NULL && (!login->tls || !proved))) {
        recorded_add_option(x, out, "auth-in-clear", NULL);
    }
    recorded_keep(x, buf_addf(out, " --password=%s", RECORDED_PASSWORD));
}

static void add_way(struct recorded *x, struct buf *out)
{
    const struct plan *p = x->plan;
    struct buf helo;
    char text[24];
    if (p->host == NULL && p->port != 0) {
        snprintf(text, sizeof(text), "%u", (unsigned)p->port);
        recorded_add_option(x, out, "port", text);
    }
    if (p->tls != PLAN_TLS_AUTO) {
        recorded_add_option(x, out, "tls", plan_tls_name(p->tls));
    }
    if (p->family != 0) {
        recorded_add_option(x, out, p->family == 6 ? "ipv6" : "ipv4", NULL);
    }
    if (p->first_path) {
        recorded_add_option(x, out, "first-path", NULL);
    }
    if (p->limits.connect == p->limits.banner && p->limits.banner == p->limits.dot) {
        snprintf(text, sizeof(text), "%d", p->limits.connect / 1000);
        recorded_add_option(x, out, "timeout", text);
    }
    if (p->deadline_s > 0) {
        snprintf(text, sizeof(text), "%d", p->deadline_s);
        recorded_add_option(x, out, "deadline", text);
    }
    if (p->helo != NULL) {
        buf_init(&helo, 4 * DNS_NAME_MAX);
        recorded_keep(x, p->helo[0] == '[' ? share_safe_text(x->share, p->helo, strlen(p->helo),
                                                             SHARE_KEYWORDS, &helo)
                                           : share_safe_name(x->share, p->helo, &helo));
        recorded_add_option(x, out, "helo", buf_str(&helo));
        buf_free(&helo);
    }
}

/* --only, where steps were left out on purpose. */
static void add_only(struct recorded *x, struct buf *out)
{
    struct buf list;
    bool all = true;
    buf_init(&list, OPTIONS_MAX);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (x->r->steps[i].verdict == VERDICT_PENDING) {
            all = false;
        } else {
            recorded_keep(x, buf_addf(&list, "%s%s", list.len > 0 ? "," : "", checks[i].key));
        }
    }
    if (!all && list.len > 0) {
        recorded_add_option(x, out, "only", buf_str(&list));
    }
    buf_free(&list);
}

static void put_options(struct recorded *x)
{
    struct buf options;
    buf_init(&options, OPTIONS_MAX);
    find_login_wish(x);
    add_way(x, &options);
    add_login(x, &options);
    add_consents(x, &options);
    recorded_add_wishes(x, &options);
    add_only(x, &options);
    if (options.len > 0) {
        recorded_put(x, "options %s\n", buf_str(&options));
    }
    if (x->plan->message.p != NULL || x->plan->attach.p != NULL) {
        recorded_put(x, "# not acted out: the test mail was not the built-in one alone\n");
    }
    buf_free(&options);
}

static void put_target(struct recorded *x)
{
    const struct plan *p = x->plan;
    struct net_address a;
    recorded_put(x, "target  ");
    if (p->host != NULL && net_address_parse(p->host, &a)) {
        recorded_put(x, "%s", a.family == 6 ? "[" : "");
        recorded_put_address(x, &a);
        recorded_put(x, "%s:%u\n", a.family == 6 ? "]" : "", (unsigned)plan_port(p));
    } else if (p->host != NULL) {
        recorded_put_name(x, p->host);
        recorded_put(x, ":%u\n", (unsigned)plan_port(p));
    } else if (p->domain != NULL) {
        recorded_put_name(x, p->domain);
        recorded_put(x, "\n");
    } else {
        recorded_put(x, "example.org\n");
    }
}

static bool is_among(const char *const *told, size_t count, const char *id)
{
    size_t i = 0;
    while (i < count && strcmp(told[i], id) != 0) {
        i++;
    }
    return i < count;
}

static size_t add_told(const struct recorded *x, enum verdict verdict, bool ended,
                       const char **told, size_t count)
{
    for (size_t i = 0; i < x->r->finding_count && count < RECORDED_EXPECT_MAX; i++) {
        const struct finding *f = &x->r->findings[i].f;
        if (f->verdict == verdict && (strncmp(f->kind->id, "check.", 6) == 0) == ended &&
            !is_among(told, count, f->kind->id)) {
            told[count++] = f->kind->id;
        }
    }
    return count;
}

/* The first one is the cause. A run does not say which it was, so the worst stand first, as they
   were found; what only ended a step comes after what the server did. */
static void put_expect(struct recorded *x)
{
    static const enum verdict worst_first[] = {VERDICT_FAIL, VERDICT_INCONCLUSIVE, VERDICT_WARN,
                                               VERDICT_NOTE};
    const char *told[RECORDED_EXPECT_MAX];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(worst_first); i++) {
        count = add_told(x, worst_first[i], false, told, count);
        count = add_told(x, worst_first[i], true, told, count);
    }
    for (size_t i = 0; i < count; i++) {
        recorded_put(x, "%s%s%s", i % 3 == 0 ? "expect  " : " ", told[i],
                     i % 3 == 2 || i + 1 == count ? "\n" : "");
    }
}

void recorded_put_head(struct recorded *x)
{
    char clock[32];
    char version[VERSION_SHOWN];
    size_t n = strspn(x->run->version, "0123456789.");
    clock_iso8601(x->r->started_wall_us, clock, sizeof(clock));
    snprintf(version, sizeof(version), "%.*s", (int)(n < VERSION_SHOWN ? n : VERSION_SHOWN - 1),
             x->run->version);
    recorded_put(x,
                 "# Made by smtpscope --make-scenario out of a run. Names, addresses, users and\n"
                 "# queue ids are examples.\n"
                 "title   Recorded on %.10s at %.5s UTC\n"
                 "theme   recorded\n"
                 "story   A run of smtpscope %s met this. Names and addresses are examples.\n"
                 "goal    Find out what is wrong, and who can fix it.\n",
                 clock, clock + strlen("2026-11-23T"), version[0] != '\0' ? version : "itself");
    put_target(x);
    put_options(x);
    put_expect(x);
    recorded_put(x, "clock   %s\n", clock);
}
