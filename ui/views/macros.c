#include "macro.h"

#include <stdio.h>
#include <string.h>

#include "app.h"
#include "compose.h"
#include "dialogs.h"
#include "raw_text.h"
#include "text.h"
#include "xclient.h"

#define LINE_MAX_BYTES 1024
#define HELP_MAX 16384

/* Each returns true when the line was done with, and may go. */

static const char *own_name(const struct app *a)
{
    const struct facts *path = record_path(&a->record);
    if (path != NULL && path->ehlo_name != NULL) {
        return path->ehlo_name;
    }
    return a->plan.helo != NULL ? a->plan.helo : "localhost";
}

static int hello_line(const struct app *a, const char *name, char *out, size_t size)
{
    return snprintf(out, size, "%s %s", a->plan.lmtp ? "LHLO" : "EHLO",
                    name[0] != '\0' ? name : own_name(a));
}

static bool do_ehlo(struct app *a, const char *args)
{
    char line[LINE_MAX_BYTES];
    int n = hello_line(a, args, line, sizeof(line));
    return n > 0 && (size_t)n < sizeof(line) && hand_send(a, line, (size_t)n);
}

static bool no_memory(struct app *a)
{
    app_say(a, true, "%s", _("Not enough memory."));
    feed_clear(&a->hand.feed);
    return false;
}

static bool feed_text(struct app *a, unsigned flags, const char *line)
{
    return feed_add(&a->hand.feed, FEED_LINE, flags, line, strlen(line)) == ST_OK;
}

static bool do_starttls(struct app *a, const char *args)
{
    char line[LINE_MAX_BYTES];
    (void)args;
    if (!hand_ready(a)) {
        return false;
    }
    (void)hello_line(a, "", line, sizeof(line));
    if (!feed_text(a, 0, "STARTTLS") || !feed_text(a, 0, line)) {
        return no_memory(a);
    }
    hand_feed(a, HAND_LINES);
    return true;
}

static bool taken(struct app *a, enum status st)
{
    if (st != ST_OK) {
        app_say(a, true, "%s", _("The engine did not take the command."));
        return false;
    }
    a->session_wanted = true;
    a->saved = false;
    return true;
}

static bool do_tls(struct app *a, const char *args)
{
    (void)args;
    return hand_ready(a) && taken(a, engine_handshake(a->engine));
}

static bool do_half(struct app *a, const char *args)
{
    (void)args;
    return hand_ready(a) && taken(a, engine_half_close(a->engine));
}

static bool do_auth(struct app *a, const char *args)
{
    char mech[32];
    if (args[0] != '\0' && macro_next_word(&args, mech, sizeof(mech)) &&
        str_set(&a->plan.auth_mech, mech) != ST_OK) {
        return no_memory(a);
    }
    dialog_open_login(a);
    return true;
}

static bool do_b64(struct app *a, const char *args)
{
    if (args[0] != '\0') {
        return hand_answer(a, args);
    }
    a->hand.mode ^= TYPEHINT_ENCODE;
    app_say(a, false, "%s",
            (a->hand.mode & TYPEHINT_ENCODE) != 0
                ? _("What answers a 334 is put into base64 from now on; :b64 ends that.")
                : _("What answers a 334 goes out as it is typed."));
    return true;
}

static bool is_address(struct app *a, const char *address, bool empty_ok)
{
    struct error error = {.text = ""};
    if (address_check(address, empty_ok, true, &error) != ST_OK) {
        app_say(a, true, "%s", error.text);
        return false;
    }
    return true;
}

static bool do_mail(struct app *a, const char *args)
{
    char from[TRANSACTION_ADDRESS_MAX] = "";
    char to[TRANSACTION_ADDRESS_MAX] = "";
    if (macro_next_word(&args, from, sizeof(from))) {
        (void)macro_next_word(&args, to, sizeof(to));
    }
    if ((from[0] != '\0' && !is_address(a, from, true)) ||
        (to[0] != '\0' && !is_address(a, to, false))) {
        return false;
    }
    composer_open(a, true, from, to);
    return true;
}

static bool add_probe(struct app *a, const char *address)
{
    char line[LINE_MAX_BYTES];
    (void)snprintf(line, sizeof(line), "RCPT TO:<%s>", address);
    return feed_text(a, FEED_ANY, line);
}

/* Who a message would come from, when the user named nobody. */
static void sender(const struct app *a, char *out, size_t size)
{
    if (a->plan.from != NULL) {
        str_copy(out, size, a->plan.from);
    } else {
        (void)snprintf(out, size, "postmaster@%s", own_name(a));
    }
}

static bool do_probe(struct app *a, const char *args)
{
    char address[TRANSACTION_ADDRESS_MAX];
    char from[TRANSACTION_ADDRESS_MAX];
    char line[LINE_MAX_BYTES];
    unsigned count = 0;
    if (!hand_ready(a)) {
        return false;
    }
    if (a->record.session == SMTP_MAIL || a->record.session == SMTP_RCPT) {
        app_say(a, true, "%s", _("A transaction is open, and probing would end it: RSET first."));
        return false;
    }
    sender(a, from, sizeof(from));
    (void)snprintf(line, sizeof(line), "MAIL FROM:<%s>", from);
    bool good = feed_text(a, 0, line);
    while (good && macro_next_word(&args, address, sizeof(address))) {
        count++;
        if (count > MACRO_PROBE_MAX || !is_address(a, address, false)) {
            feed_clear(&a->hand.feed);
            if (count > MACRO_PROBE_MAX) {
                app_say(a, true,
                        Q_("At most %d address.", "At most %d addresses.", MACRO_PROBE_MAX),
                        MACRO_PROBE_MAX);
            }
            return false;
        }
        good = add_probe(a, address);
    }
    if (!good || !feed_text(a, FEED_ALWAYS, "RSET")) {
        return no_memory(a);
    }
    hand_feed(a, HAND_PROBE);
    return true;
}

static bool do_data(struct app *a, const char *args)
{
    (void)args;
    return hand_send(a, "DATA", 4);
}

static bool do_bdat(struct app *a, const char *args)
{
    struct buf octets;
    struct error error = {.text = ""};
    char line[64];
    bool done = false;
    if (args[0] == '\0') {
        a->hand.composer.bdat = true;
        composer_open(a, a->record.session != SMTP_RCPT, NULL, NULL);
        return true;
    }
    buf_init(&octets, SMTP_RAW_MAX);
    if (raw_text_read(args, strlen(args), &octets, &error) != ST_OK) {
        app_say(a, true, "%s", error.text);
    } else if (hand_ready(a)) {
        int n = snprintf(line, sizeof(line), "BDAT %zu LAST", octets.len);
        done =
            taken(a, engine_type_chunk(a->engine, line, (size_t)n, buf_str(&octets), octets.len));
    }
    buf_free(&octets);
    return done;
}

static bool do_raw(struct app *a, const char *args)
{
    if (args[0] != '\0') {
        char line[] = ":raw ";
        size_t len = strlen(args);
        struct buf whole;
        buf_init(&whole, LINEEDIT_MAX + sizeof(line));
        bool hidden = buf_add_str(&whole, line) != ST_OK || buf_add(&whole, args, len) != ST_OK ||
                      typehint_secret(&a->record, hand_mode(a), buf_str(&whole));
        buf_wipe(&whole);
        return hand_send_raw(a, args, hidden);
    }
    a->hand.mode ^= TYPEHINT_RAW;
    app_say(a, false, "%s",
            (a->hand.mode & TYPEHINT_RAW) != 0
                ? _("Raw mode: bytes go out as they are, without a line end. :raw leaves it.")
                : _("Raw mode is left: each line is sent with its line end."));
    return true;
}

static bool do_open(struct app *a, const char *args)
{
    (void)args;
    hand_open(a, false);
    return true;
}

static bool do_connect(struct app *a, const char *args)
{
    (void)args;
    hand_open(a, true);
    return true;
}

static bool do_replay(struct app *a, const char *args)
{
    replay_choose(a, args);
    return true;
}

static bool do_xclient(struct app *a, const char *args)
{
    struct buf line;
    struct error error = {.text = ""};
    bool sent = false;
    buf_init(&line, 4 * XCLIENT_LINE_MAX);
    if (xclient_line(args, &line, &error) != ST_OK) {
        app_say(a, true, "%s", error.text);
    } else {
        sent = hand_send(a, buf_str(&line), line.len);
    }
    buf_free(&line);
    return sent;
}

static bool do_quit(struct app *a, const char *args)
{
    (void)args;
    return hand_send(a, "QUIT", 4);
}

static bool do_help(struct app *a, const char *args)
{
    (void)args;
    dialog_open_macros(a);
    return true;
}

static bool (*const macro_table[MACRO_COUNT])(struct app *, const char *) = {
    [MACRO_EHLO] = do_ehlo,       [MACRO_STARTTLS] = do_starttls, [MACRO_TLS] = do_tls,
    [MACRO_AUTH] = do_auth,       [MACRO_B64] = do_b64,           [MACRO_MAIL] = do_mail,
    [MACRO_PROBE] = do_probe,     [MACRO_DATA] = do_data,         [MACRO_BDAT] = do_bdat,
    [MACRO_RAW] = do_raw,         [MACRO_HALF] = do_half,         [MACRO_OPEN] = do_open,
    [MACRO_RECONNECT] = do_open,  [MACRO_CONNECT] = do_connect,   [MACRO_REPLAY] = do_replay,
    [MACRO_XCLIENT] = do_xclient, [MACRO_QUIT] = do_quit,         [MACRO_HELP] = do_help,
};

bool macro_run(struct app *a, const char *line)
{
    const char *args = "";
    enum macro_id id = macro_find(line, &args);
    if (id == MACRO_NONE) {
        enum macro_id near = macro_nearest(line);
        if (near != MACRO_NONE) {
            app_say(a, true, _("There is no such word. Did you mean :%s?"), macros[near].name);
        } else {
            app_say(a, true, "%s", _("There is no such word. :help lists them."));
        }
        return false;
    }
    if (macros[id].needed && args[0] == '\0') {
        app_say(a, true, _("It needs something behind it: :%s %s"), macros[id].name,
                macros[id].args);
        return false;
    }
    return macro_table[id](a, args);
}

void dialog_open_macros(struct app *a)
{
    struct buf text;
    buf_init(&text, HELP_MAX);
    if (macro_list(&text) == ST_OK) {
        dialog_open_text(a, _("What can be asked for with a colon"), &text);
    } else {
        buf_free(&text);
    }
}
