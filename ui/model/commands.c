#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

#define PLAIN_LETTERS                                                                              \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:@_-/+=,"

#define SERVER_MAX 320 /* a host name and a port */

/* One command that is being written. */
struct command {
    struct buf *out;
    enum status st;
    const struct record *record;
    const struct plan *plan;
    const struct facts *path; /* or NULL */
    char address[SERVER_MAX]; /* "192.0.2.10:25", "[2001:db8::1]:25", "mx.example.org:25" */
    const char *host;                   /* its name, or NULL */
};

/* Words of ours, as they are. */
static void put(struct command *c, const char *words)
{
    if (c->st == ST_OK) {
        c->st = buf_add_str(c->out, words);
    }
}

/* A word for a shell: single quotes around anything but plain letters, so that pasting is safe. */
static void put_word(struct command *c, const char *word)
{
    size_t plain = strspn(word, PLAIN_LETTERS);
    put(c, " ");
    if (word[0] != '\0' && word[plain] == '\0') {
        put(c, word);
        return;
    }
    put(c, "'");
    for (const char *p = word; *p != '\0' && c->st == ST_OK; p++) {
        /* A line end would end the command, even in quotes, on terminals that paste line by line. */
        bool control = (unsigned char)*p < 0x20 || *p == 0x7f;
        c->st = control ? ST_OK : *p == '\'' ? buf_add_str(c->out, "'\\''") : buf_add_char(c->out, *p);
    }
    put(c, "'");
}

static void put_option(struct command *c, const char *option, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        put(c, " ");
        put(c, option);
        put_word(c, value);
    }
}

static void put_family(struct command *c)
{
    put(c, c->plan->family == 4 ? " -4" : c->plan->family == 6 ? " -6" : "");
}

/* The name server that was asked, where the user named one. */
static void dig(struct command *c, const char *name, const char *type)
{
    const struct dns_config *dns = &c->plan->dns;
    char server[NET_ADDRESS_TEXT + 1] = "@", port[8] = "";
    put(c, "dig");
    if (dns->server_count > 0) {
        net_address_format(&dns->servers[0], server + 1, sizeof(server) - 1);
        put_word(c, server);
        if (dns->servers[0].port != 0 && dns->servers[0].port != 53) {
            snprintf(port, sizeof(port), "%u", (unsigned)dns->servers[0].port);
            put_option(c, "-p", port);
        }
    }
    put_word(c, name);
    put(c, " ");
    put(c, type);
    put(c, "\n");
}

static void note(struct command *c, const char *sentence)
{
    put(c, "# ");
    put(c, sentence);
    put(c, "\n");
}

static const char *helo_of(const struct command *c)
{
    return c->path != NULL && c->path->ehlo_name != NULL ? c->path->ehlo_name : c->plan->helo;
}

static bool is_implicit(const struct command *c)
{
    return plan_tls_effective(c->plan) == PLAN_TLS_IMPLICIT;
}

/* How far it gets to the server; the encryption is added by whoever needs it. */
static void swaks(struct command *c)
{
    char source[NET_ADDRESS_TEXT] = "";
    put(c, "swaks");
    put_option(c, "--server", c->address);
    put_family(c);
    if (c->plan->source.family != 0) {
        net_address_format(&c->plan->source, source, sizeof(source));
        put_option(c, "--local-interface", source);
    }
    put_option(c, "--helo", helo_of(c));
}

static void swaks_tls(struct command *c)
{
    static const char *const options[] = {[PLAN_TLS_AUTO] = " --tls-optional-strict",
                                          [PLAN_TLS_STARTTLS] = " --tls",
                                          [PLAN_TLS_IMPLICIT] = " --tls-on-connect",
                                          [PLAN_TLS_NONE] = ""};
    enum plan_tls tls = is_implicit(c) ? PLAN_TLS_IMPLICIT : c->plan->tls;
    put(c, options[tls]);
    if (tls != PLAN_TLS_NONE) {
        put_option(c, "--tls-sni", c->host);
        put_option(c, "--tls-ca-path", c->plan->ca_file);
        put_option(c, "--tls-cert", c->plan->cert_file);
        put_option(c, "--tls-key", c->plan->key_file != NULL ? c->plan->key_file : c->plan->cert_file);
    }
}

static void quit_after(struct command *c, const char *step)
{
    put(c, " --quit-after ");
    put(c, step);
    put(c, "\n");
}

static void openssl(struct command *c, bool certificate)
{
    put(c, "openssl s_client");
    if (!is_implicit(c)) {
        put(c, " -starttls smtp");
        put_option(c, "-name", helo_of(c));
    }
    put_family(c);
    put_option(c, "-connect", c->address);
    put_option(c, "-servername", c->host);
    put_option(c, "-verify_hostname", c->host);
    put_option(c, "-CAfile", c->plan->ca_file);
    put_option(c, "-cert", c->plan->cert_file);
    put_option(c, "-key", c->plan->key_file);
    put(c, certificate ? " -showcerts </dev/null | openssl x509 -noout -subject -issuer -dates "
                         "-ext subjectAltName\n"
                       : " -showcerts </dev/null\n");
}

/* nc takes host and port apart. */
static void netcat(struct command *c)
{
    char address[NET_ADDRESS_TEXT] = "", source[NET_ADDRESS_TEXT] = "", port[8];
    const char *host = c->host != NULL ? c->host : c->plan->domain != NULL ? c->plan->domain : "";
    uint16_t number = plan_port(c->plan);
    if (c->path != NULL && c->path->address.family != 0) {
        net_address_format(&c->path->address, address, sizeof(address));
        number = c->path->address.port;
    }
    snprintf(port, sizeof(port), "%u", (unsigned)number);
    put(c, "nc -vz");
    put_family(c);
    if (c->plan->source.family != 0) {
        net_address_format(&c->plan->source, source, sizeof(source));
        put_option(c, "-s", source);
    }
    put_word(c, address[0] != '\0' ? address : host);
    put_word(c, port);
    put(c, "\n");
}

static const char *argument_of(const struct command *c, enum check_id check, const char *name)
{
    for (size_t i = 0; i < c->record->finding_count; i++) {
        const struct record_finding *rf = &c->record->findings[i];
        const char *value = rf->check == check ? finding_arg_get(&rf->f, name) : NULL;
        if (value != NULL && value[0] != '\0') {
            return value;
        }
    }
    return NULL;
}

static void whoami(struct command *c)
{
    if (c->plan->family != 6) {
        put(c, "dig -4 @resolver1.opendns.com myip.opendns.com A\n");
    }
    if (c->plan->family != 4) {
        put(c, "dig -6 @resolver1.opendns.com myip.opendns.com AAAA\n");
    }
}

static void own_name(struct command *c)
{
    const struct facts *own = c->record->path_count > 0 ? c->record->paths[0] : NULL;
    if (own == NULL || own->own_address == NULL) {
        note(c, _("The own address is not known yet; this finds it out:"));
        whoami(c);
        return;
    }
    put(c, "dig -x");
    put_word(c, own->own_address);
    put(c, "\n");
    if (own->own_ptr != NULL) {
        dig(c, own->own_ptr, strchr(own->own_address, ':') != NULL ? "AAAA" : "A");
    }
}

static void mail_hosts(struct command *c)
{
    if (c->plan->domain == NULL) {
        note(c, _("A host was named, so no MX is asked for."));
    } else {
        dig(c, c->plan->domain, "MX");
    }
}

static void addresses(struct command *c)
{
    const char *host = c->host != NULL ? c->host : c->plan->domain;
    if (host == NULL) {
        note(c, _("An address was named, so none is asked for."));
        return;
    }
    if (c->plan->family != 6) {
        dig(c, host, "A");
    }
    if (c->plan->family != 4) {
        dig(c, host, "AAAA");
    }
}

/* The sender that the step takes where none was given. */
static void put_sender(struct command *c, bool login)
{
    char made_up[300];
    const char *user = c->plan->auth_user, *helo = helo_of(c);
    const char *from = c->plan->from;
    if (from == NULL && login && user != NULL && strchr(user, '@') != NULL) {
        from = user;
    }
    if (from == NULL && helo != NULL) {
        snprintf(made_up, sizeof(made_up), "postmaster@%s", helo);
        from = made_up;
    }
    put_option(c, "--from", from);
}

static void relay(struct command *c)
{
    static const char *const strangers[] = {"relay-check@example.org", "relay-check@example.net"};
    const char *to = argument_of(c, CHECK_RELAY, "recipient");
    const char *domain = c->plan->domain != NULL ? c->plan->domain : "";
    bool taken = str_equal_nocase(domain, strchr(strangers[0], '@') + 1);
    swaks(c);
    swaks_tls(c);
    put_sender(c, false);
    put_option(c, "--to", to != NULL ? to : strangers[taken ? 1 : 0]);
    quit_after(c, "RCPT");
}

/* swaks asks for the password, because none is given. */
static void put_login(struct command *c)
{
    put(c, " --auth");
    if (c->plan->auth_mech != NULL) {
        put_word(c, c->plan->auth_mech);
    }
    put_option(c, "--auth-user",
               c->plan->auth_user != NULL ? c->plan->auth_user : "user@example.org");
}

static void login(struct command *c)
{
    swaks(c);
    swaks_tls(c);
    put_login(c);
    quit_after(c, "AUTH");
}

static void send_mail(struct command *c)
{
    char subject[512] = "";
    bool logged_in = c->path != NULL && c->path->authenticated;
    char to[300] = "postmaster@example.org";
    if (c->plan->domain != NULL) {
        snprintf(to, sizeof(to), "postmaster@%s", c->plan->domain);
    }
    swaks(c);
    swaks_tls(c);
    if (logged_in) {
        put_login(c);
    }
    put_sender(c, logged_in);
    put_option(c, "--to", c->plan->to != NULL ? c->plan->to : to);
    if (c->plan->subject != NULL) {
        snprintf(subject, sizeof(subject), "Subject: %s", c->plan->subject);
        put_option(c, "--header", subject);
    }
    put(c, "\n");
}

static void set_address(struct command *c)
{
    const struct plan *p = c->plan;
    c->host = c->path != NULL ? c->path->mx : NULL;
    struct net_address literal;
    if (c->host == NULL && p->host != NULL && !net_address_parse(p->host, &literal)) {
        c->host = p->host;
    }
    if (c->path != NULL && c->path->address.family != 0) {
        net_address_format_port(&c->path->address, c->address, sizeof(c->address));
        return;
    }
    const char *host = c->host != NULL   ? c->host
                       : p->host != NULL ? p->host
                       : p->domain != NULL ? p->domain
                                         : "";
    bool bracketed = strchr(host, ':') != NULL;
    snprintf(c->address, sizeof(c->address), bracketed ? "[%s]:%u" : "%s:%u", host,
             (unsigned)plan_port(p));
}

enum status commands_for(const struct record *r, const struct plan *plan, enum check_id check,
                         struct buf *out)
{
    struct command c = {
        .out = out, .st = ST_OK, .record = r, .plan = plan, .path = record_path(r)};
    set_address(&c);
    switch (check) {
    case CHECK_DNS_MX:
        mail_hosts(&c);
        break;
    case CHECK_DNS_ADDRESS:
        addresses(&c);
        break;
    case CHECK_SELF_ADDRESS:
        whoami(&c);
        break;
    case CHECK_SELF_PTR:
        own_name(&c);
        break;
    case CHECK_CONNECT:
        netcat(&c);
        break;
    case CHECK_BANNER:
        swaks(&c);
        put(&c, is_implicit(&c) ? " --tls-on-connect" : "");
        quit_after(&c, "BANNER");
        break;
    case CHECK_EHLO:
        swaks(&c);
        put(&c, is_implicit(&c) ? " --tls-on-connect" : "");
        quit_after(&c, "FIRST-EHLO");
        break;
    case CHECK_STARTTLS:
        openssl(&c, false);
        break;
    case CHECK_CERTIFICATE:
        openssl(&c, true);
        break;
    case CHECK_RELAY:
        relay(&c);
        break;
    case CHECK_AUTH:
        login(&c);
        break;
    case CHECK_SEND:
        send_mail(&c);
        break;
    case CHECK_COUNT:
        break;
    }
    return c.st;
}
