#include "report_scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorded.h"
#include "text.h"

#define PORT_SUBMISSION 587
#define PORT_SUBMISSIONS 465

static enum status read_talks(struct recorded *x)
{
    enum status st = ST_OK;
    x->talks = calloc(x->r->dial_count + 1, sizeof(*x->talks));
    if (x->talks == NULL) {
        return ST_NOMEM;
    }
    for (size_t i = 0; st == ST_OK && i < x->r->dial_count; i++) {
        if (x->r->dials[i].talked) {
            st = talk_read(&x->talks[x->talk_count], x->r, i);
            x->talk_count += st == ST_OK ? 1 : 0;
        }
    }
    return st;
}

/* "mx", "submission", "mx2": what the port is for, counted. */
static void name_server(struct recorded *x, struct recorded_server *s)
{
    const char *base = s->address.port == PORT_SUBMISSION    ? "submission"
                       : s->address.port == PORT_SUBMISSIONS ? "submissions"
                                                             : "mx";
    size_t same = 0;
    for (size_t i = 0; i < x->server_count; i++) {
        same += x->servers[i].address.port == s->address.port ? 1 : 0;
        same += base[0] == 'm' && x->servers[i].address.port != s->address.port &&
                        x->servers[i].name[0] == 'm'
                    ? 1
                    : 0;
    }
    if (same == 0) {
        str_copy(s->name, sizeof(s->name), base);
    } else {
        snprintf(s->name, sizeof(s->name), "%s%zu", base, same + 1);
    }
}

static const struct recorded_host *host_at(const struct recorded *x, const struct net_address *a)
{
    for (size_t i = 0; i < x->host_count; i++) {
        if (net_address_same_host(&x->hosts[i].address, a)) {
            return &x->hosts[i];
        }
    }
    return NULL;
}

static void find_servers(struct recorded *x)
{
    x->servers = calloc(x->talk_count + 1, sizeof(*x->servers));
    if (x->servers == NULL) {
        x->st = ST_NOMEM;
        return;
    }
    for (size_t i = 0; i < x->talk_count; i++) {
        const struct record_dial *d = x->talks[i].dial;
        struct recorded_server s = {.address = d->f.to, .host = host_at(x, &d->f.to)};
        bool known = s.host == NULL;
        for (size_t k = 0; k < x->server_count; k++) {
            known = known || (net_address_same_host(&x->servers[k].address, &d->f.to) &&
                              x->servers[k].address.port == d->f.to.port);
        }
        if (known) {
            continue;
        }
        s.path = d->path < x->r->path_count ? x->r->paths[d->path] : NULL;
        s.tls_first = (s.path != NULL && strcmp(s.path->mode, "implicit") == 0) ||
                      recorded_found(x, "smtp.banner.tls_first");
        name_server(x, &s);
        x->servers[x->server_count++] = s;
    }
}

/* What a server calls itself in its greeting: the word behind the code, where it is a host name. */
static bool greeting_name(const struct facts *f, char *out, size_t size)
{
    const char *p = f != NULL && f->banner != NULL && strlen(f->banner) > 4 ? f->banner + 4 : "";
    size_t n = strcspn(p, " \t\r");
    if (n == 0 || n >= size) {
        return false;
    }
    memcpy(out, p, n);
    out[n] = '\0';
    return strchr(out, '.') != NULL && dns_name_is_host(out, true) &&
           strspn(out, "0123456789.") != n;
}

/* The domain that is tested; a host that was named, or names itself, tells whose it is. */
static enum status tell_domain(struct recorded *x)
{
    const struct plan *p = x->plan;
    struct net_address a;
    char name[DNS_HOST_NAME_MAX + 1];
    const char *host = p->host;
    if (p->domain != NULL) {
        return share_safe_domain(x->share, p->domain);
    }
    for (size_t i = 1; host != NULL && net_address_parse(host, &a) && i < x->r->path_count; i++) {
        host = greeting_name(x->r->paths[i], name, sizeof(name)) ? name : host;
    }
    const char *dot = host != NULL ? strchr(host, '.') : NULL;
    return share_safe_domain(x->share,
                             dot != NULL && strchr(dot + 1, '.') != NULL ? dot + 1 : host);
}

/* By all the names under which the server is known. */
static enum status tell_path(struct recorded *x, const struct facts *f)
{
    char name[DNS_HOST_NAME_MAX + 1];
    enum status st = share_safe_host(x->share, f->mx, SHARE_SERVER);
    if (st == ST_OK) {
        st = share_safe_host(x->share, f->ptr, SHARE_SERVER);
    }
    if (st == ST_OK && greeting_name(f, name, sizeof(name))) {
        st = share_safe_host(x->share, name, SHARE_SERVER);
    }
    for (size_t i = 0; st == ST_OK && f->tls != NULL && i < f->tls->name_count; i++) {
        const char *shown = f->tls->names[i];
        shown += strncmp(shown, "*.", 2) == 0 ? 2 : 0;
        st = dns_name_is_host(shown, true) ? share_safe_host(x->share, shown, SHARE_OTHER) : ST_OK;
    }
    return st;
}

static enum status tell_hosts(struct recorded *x)
{
    enum status st = share_safe_host(x->share, x->plan->host, SHARE_SERVER);
    for (size_t i = 0; st == ST_OK && i < x->r->answer_count; i++) {
        const struct record_answer *a = &x->r->answers[i];
        const char *host = a->f.name;
        if (a->check == CHECK_DNS_ADDRESS) {
            st = share_safe_host(x->share, host, SHARE_SERVER);
        }
        for (size_t k = 0; st == ST_OK && a->f.type == DNS_MX && k < a->f.count; k++) {
            const char *blank = strchr(a->f.records[k], ' ');
            st = share_safe_host(x->share, blank != NULL ? blank + 1 : NULL, SHARE_SERVER);
        }
    }
    for (size_t i = 1; st == ST_OK && i < x->r->path_count; i++) {
        st = x->r->paths[i] != NULL ? tell_path(x, x->r->paths[i]) : ST_OK;
    }
    return st;
}

/* An internationalised domain as it was typed. */
static enum status tell_typed(struct recorded *x)
{
    const char *typed = x->plan->input;
    const char *at = typed != NULL ? strrchr(typed, '@') : NULL;
    typed = at != NULL ? at + 1 : typed;
    if (typed == NULL || strpbrk(typed, "/:[") != NULL) {
        return ST_OK;
    }
    return share_safe_host(x->share, typed, SHARE_SERVER);
}

/* The login, as the run was asked for it or as a step was on the screen. */
static void find_user(struct recorded *x)
{
    x->user = x->plan->auth_user;
    for (size_t i = 0; x->user == NULL && i < x->r->finding_count; i++) {
        const struct record_finding *rf = &x->r->findings[i];
        x->user = rf->check == CHECK_AUTH ? finding_arg_get(&rf->f, "user") : NULL;
    }
}

static enum status tell_people(struct recorded *x)
{
    char address[RECORDED_MAILBOX_SIZE];
    const char *const boxes[] = {x->user, x->plan->from, x->plan->to};
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(boxes); i++) {
        st = share_safe_user(x->share, boxes[i]);
    }
    for (size_t i = 0; i < x->talk_count; i++) {
        for (size_t k = 0; st == ST_OK && k < x->talks[i].count; k++) {
            if (recorded_mailbox(x, &x->talks[i].turns[k], address, sizeof(address))) {
                st = share_safe_user(x->share, address);
            }
        }
    }
    return st;
}

static enum status prepare(struct recorded *x)
{
    enum status st = share_safe_new(&x->share);
    if (st == ST_OK) {
        st = tell_domain(x);
    }
    if (st == ST_OK) {
        st = recorded_find_sides(x);
    }
    if (st == ST_OK) {
        st = tell_hosts(x);
    }
    if (st == ST_OK) {
        st = read_talks(x);
    }
    if (st == ST_OK) {
        find_user(x);
        st = tell_people(x);
    }
    if (st == ST_OK) {
        st = recorded_tell_wishes(x);
    }
    if (st == ST_OK) {
        st = tell_typed(x);
    }
    if (st == ST_OK) {
        find_servers(x);
        st = x->st;
    }
    return st;
}

static void recorded_free(struct recorded *x)
{
    for (size_t i = 0; i < x->talk_count; i++) {
        talk_free(&x->talks[i]);
    }
    free(x->talks);
    free(x->hosts);
    free(x->servers);
    share_safe_free(x->share);
}

enum status report_scenario(const struct run_file *run, struct buf *out, struct error *error)
{
    struct recorded x = {
        .run = run, .r = &run->record, .plan = &run->plan, .out = out, .st = ST_OK};
    if (!run->has_exchanges) {
        return error_set(error, ST_INVALID, 0,
                         _("The run does not tell what name servers answered: it was saved by an "
                           "older version. Run the checks again."));
    }
    x.st = prepare(&x);
    if (x.st == ST_OK) {
        recorded_put_head(&x);
        recorded_put_me(&x);
        recorded_put_zones(&x);
        recorded_put_hosts(&x);
        recorded_put_servers(&x);
    }
    recorded_free(&x);
    if (x.st == ST_LIMIT) {
        return error_set(error, ST_LIMIT, 0, _("The run is too large for a scenario."));
    }
    return x.st == ST_OK ? ST_OK : error_set(error, x.st, 0, _("There is not enough memory."));
}
