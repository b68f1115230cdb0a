#include "scenario_rule.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define SPLIT_MAX 65536

static enum status read_offer(struct scenario_reader *r, struct scenario_server *server,
                              enum offer_when when)
{
    struct scenario_offer *grown = list_grow(server->offers, server->offer_count, sizeof(*grown));
    if (grown == NULL) {
        return reader_no_memory(r);
    }
    server->offers = grown;
    struct scenario_offer *offer = &grown[server->offer_count++];
    struct buf line;
    offer->when = when;
    buf_init(&line, SCENARIO_LINE_MAX);
    enum status st = ST_OK;
    do {
        char *word = NULL;
        st = reader_text(r, &word);
        if (st == ST_OK && ((line.len > 0 && buf_add_char(&line, ' ') != ST_OK) ||
                            buf_add_str(&line, word) != ST_OK)) {
            st = reader_no_memory(r);
        }
        free(word);
    } while (st == ST_OK && reader_peek(r) != NULL);
    if (st == ST_OK && str_set(&offer->text, buf_str(&line)) != ST_OK) {
        st = reader_no_memory(r);
    }
    buf_free(&line);
    return st;
}

static enum status read_offer_always(struct scenario_reader *r, struct scenario_server *server)
{
    return read_offer(r, server, OFFER_ALWAYS);
}

static enum status read_offer_clear(struct scenario_reader *r, struct scenario_server *server)
{
    return read_offer(r, server, OFFER_CLEAR);
}

static enum status read_offer_tls(struct scenario_reader *r, struct scenario_server *server)
{
    return read_offer(r, server, OFFER_TLS);
}

static enum status read_banner(struct scenario_reader *r, struct scenario_server *server)
{
    return reader_text(r, &server->banner);
}

static enum status read_hello(struct scenario_reader *r, struct scenario_server *server)
{
    return reader_text(r, &server->hello);
}

static enum status read_software(struct scenario_reader *r, struct scenario_server *server)
{
    return reader_text(r, &server->software);
}

static enum status read_withhold(struct scenario_reader *r, struct scenario_server *server)
{
    return reader_words(r, &server->withheld);
}

static enum status read_local(struct scenario_reader *r, struct scenario_server *server)
{
    return reader_words(r, &server->local);
}

static enum status read_mailbox(struct scenario_reader *r, struct scenario_server *server)
{
    return reader_words(r, &server->mailboxes);
}

/* One of two words; *second tells which. */
static enum status read_choice(struct scenario_reader *r, const char *first, const char *other,
                               bool *second)
{
    char found[80];
    *second = reader_accept(r, other);
    if (*second || reader_accept(r, first)) {
        return ST_OK;
    }
    return reader_fail(r, _("expected %s or %s, found %s"), first, other,
                       reader_found(r, found, sizeof(found)));
}

static enum status read_relay(struct scenario_reader *r, struct scenario_server *server)
{
    return read_choice(r, "denied", "open", &server->relay_open);
}

static enum status read_user(struct scenario_reader *r, struct scenario_server *server)
{
    struct scenario_user *grown = list_grow(server->users, server->user_count, sizeof(*grown));
    if (grown == NULL) {
        return reader_no_memory(r);
    }
    server->users = grown;
    struct scenario_user *user = &grown[server->user_count++];
    enum status st = reader_word(r, &user->name);
    return st == ST_OK ? reader_word(r, &user->password) : st;
}

static enum status read_require(struct scenario_reader *r, struct scenario_server *server)
{
    char found[80];
    if (reader_accept(r, "tls")) {
        server->require_tls = true;
    } else if (reader_accept(r, "login")) {
        server->require_login = true;
    } else {
        return reader_fail(r, _("expected tls or login, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    return ST_OK;
}

static enum status read_tls(struct scenario_reader *r, struct scenario_server *server)
{
    return tls_kind_read(r, &server->tls);
}

static enum status read_certificate(struct scenario_reader *r, struct scenario_server *server)
{
    static const char *const keys[] = {"ec256", "rsa2048", "rsa1024"};
    struct scenario_certificate *c = &server->certificate;
    char found[80];
    if (reader_accept(r, "names")) {
        c->names_given = true;
        return reader_accept(r, "none") ? ST_OK : reader_texts(r, &c->names);
    }
    if (reader_accept(r, "subject")) {
        return reader_text(r, &c->subject);
    }
    if (reader_accept(r, "from")) {
        c->from_given = true;
        return reader_time(r, true, &c->from_us);
    }
    if (reader_accept(r, "until")) {
        c->until_given = true;
        return reader_time(r, true, &c->until_us);
    }
    if (reader_accept(r, "usage")) {
        return read_choice(r, "server", "client", &c->for_clients);
    }
    if (reader_accept(r, "signature")) {
        return read_choice(r, "good", "bad", &c->forged);
    }
    if (!reader_accept(r, "key")) {
        return reader_fail(
            r, _("expected names, subject, from, until, usage, signature or key, found %s"),
            reader_found(r, found, sizeof(found)));
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (reader_accept(r, keys[i])) {
            c->key = keys[i];
            return ST_OK;
        }
    }
    return reader_fail(r, _("expected ec256, rsa2048 or rsa1024, found %s"),
                       reader_found(r, found, sizeof(found)));
}

static enum status read_think(struct scenario_reader *r, struct scenario_server *server)
{
    return reader_time(r, false, &server->think_us);
}

static enum status read_split(struct scenario_reader *r, struct scenario_server *server)
{
    uint64_t n = 0;
    enum status st = reader_number(r, SPLIT_MAX, &n);
    server->split = (size_t)n;
    return st;
}

static enum status read_line_end(struct scenario_reader *r, struct scenario_server *server)
{
    char found[80];
    if (reader_accept(r, "lf")) {
        server->line_end = LINE_END_LF;
    } else if (reader_accept(r, "cr")) {
        server->line_end = LINE_END_CR;
    } else if (reader_accept(r, "crlf")) {
        server->line_end = LINE_END_CRLF;
    } else {
        return reader_fail(r, _("expected crlf, lf or cr, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    return ST_OK;
}

static enum status read_keeps(struct scenario_reader *r, struct scenario_server *server)
{
    (void)r;
    server->keeps_commands = true;
    return ST_OK;
}

static enum status read_lmtp(struct scenario_reader *r, struct scenario_server *server)
{
    (void)r;
    server->lmtp = true;
    return ST_OK;
}

static enum status read_proxy(struct scenario_reader *r, struct scenario_server *server)
{
    char found[80];
    if (reader_accept(r, "v1")) {
        server->proxy = SERVER_PROXY_V1;
    } else if (reader_accept(r, "v2")) {
        server->proxy = SERVER_PROXY_V2;
    } else if (reader_accept(r, "any")) {
        server->proxy = SERVER_PROXY_V1 | SERVER_PROXY_V2;
    } else {
        return reader_fail(r, _("expected v1, v2 or any, found %s"),
                           reader_found(r, found, sizeof(found)));
    }
    return ST_OK;
}

struct server_word {
    const char *word;
    enum status (*read)(struct scenario_reader *r, struct scenario_server *server);
};

static const struct server_word server_words[] = {
    {"banner", read_banner},
    {"hello", read_hello},
    {"software", read_software},
    {"offer", read_offer_always},
    {"offer-clear", read_offer_clear},
    {"offer-tls", read_offer_tls},
    {"withhold", read_withhold},
    {"local", read_local},
    {"mailbox", read_mailbox},
    {"relay", read_relay},
    {"user", read_user},
    {"require", read_require},
    {"tls", read_tls},
    {"certificate", read_certificate},
    {"think", read_think},
    {"split", read_split},
    {"line-end", read_line_end},
    {"keeps-commands", read_keeps},
    {"lmtp", read_lmtp},
    {"proxy", read_proxy},
    {"on", rule_read},
};

enum status server_line(struct scenario_reader *r, struct scenario_server *server)
{
    bool rule = strncmp(buf_str(&r->raw), "on", 2) == 0;
    enum status st = reader_split(r, rule);
    if (st != ST_OK) {
        return st;
    }
    for (size_t i = 0; i < ARRAY_LEN(server_words); i++) {
        if (reader_accept(r, server_words[i].word)) {
            st = server_words[i].read(r, server);
            return st == ST_OK ? reader_end(r) : st;
        }
    }
    char found[80];
    return reader_fail(r,
                       _("expected a line of a server such as banner, offer, withhold, local, "
                         "relay, user, tls or on, found %s"),
                       reader_found(r, found, sizeof(found)));
}

static void rule_free(struct scenario_rule *rule)
{
    for (size_t i = 0; i < rule->action_count; i++) {
        strings_free(&rule->actions[i].texts);
    }
    free(rule->actions);
    free(rule->pattern);
}

void server_free(struct scenario_server *server)
{
    for (size_t i = 0; i < server->rule_count; i++) {
        rule_free(&server->rules[i]);
    }
    for (size_t i = 0; i < server->offer_count; i++) {
        free(server->offers[i].text);
    }
    for (size_t i = 0; i < server->user_count; i++) {
        free(server->users[i].name);
        free(server->users[i].password);
    }
    free(server->rules);
    free(server->offers);
    free(server->users);
    strings_free(&server->withheld);
    strings_free(&server->local);
    strings_free(&server->mailboxes);
    strings_free(&server->certificate.names);
    free(server->certificate.subject);
    free(server->name);
    free(server->banner);
    free(server->hello);
    free(server->software);
}
