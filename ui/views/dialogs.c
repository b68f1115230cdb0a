#include "dialogs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compose.h"
#include "escape.h"
#include "text.h"

enum field_id {
    F_DOMAIN,
    F_HOST,
    F_PORT,
    F_TLS,
    F_PURPOSE,
    F_HELO,
    F_SOURCE,
    F_FAMILY,
    F_USER,
    F_PASSWORD,
    F_SHOW,
    F_METHOD,
    F_CLEAR,
    F_MAY,
    F_FROM,
    F_TO,
    F_SUBJECT,
    F_FORMAT,
    F_NAME,
    F_EXISTING,
    B_GO,
    B_PRACTISE,
    B_TYPE,
    B_NO,
    B_VIEW
};

struct dialog *dialog_push(struct app *a, enum dialog_kind kind)
{
    if (a->dialog_count == APP_DIALOGS_MAX) {
        return NULL;
    }
    struct dialog *d = &a->dialogs[a->dialog_count++];
    memset(d, 0, sizeof(*d));
    d->kind = kind;
    buf_init(&d->text, 8u << 20);
    return d;
}

void dialog_close(struct app *a)
{
    if (a->dialog_count == 0) {
        return;
    }
    struct dialog *d = &a->dialogs[--a->dialog_count];
    form_free(&d->form);
    if (d->kind == DIALOG_LIST) {
        lineedit_free(&d->filter);
    }
    free(d->items);
    buf_free(&d->text);
    memset(d, 0, sizeof(*d));
}

struct dialog *dialog_top(struct app *a)
{
    return a->dialog_count > 0 ? &a->dialogs[a->dialog_count - 1] : NULL;
}

static int choice_of_port(uint16_t port)
{
    return port == 25 ? 1 : port == 465 ? 2 : port == 587 ? 3 : 0;
}

static const uint16_t port_of_choice[] = {0, 25, 465, 587};

void dialog_open_start(struct app *a)
{
    struct dialog *d = dialog_push(a, DIALOG_START);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    form_init(f, "smtpscope " SMTPSCOPE_VERSION);
    form_note(f, "%s\n", _("Find out what is wrong with a mail server, step by step."));
    form_text(f, F_DOMAIN, _("Domain or host"), a->plan.input);
    const char *const ports[] = {_("auto"), "25", "465", "587"};
    form_radio(f, F_PORT, _("Port"), ports, 4, choice_of_port(a->plan.port));
    const char *const purposes[] = {_("receiving"), _("submission")};
    form_radio(f, F_PURPOSE, _("Check for"), purposes, 2, 0);
    form_note(f, "\n%s", _("Safe checks: DNS, connect, EHLO, TLS. No mail is sent. (Enter)"));
    form_note(f, "%s", _("Practise: a built-in server; no network needed."));
    form_note(f, "%s", _("Type SMTP: by hand, on a live connection."));
    form_note(f, "%s\n", _("F1 tells what will be sent, and to whom. F10 quits."));
    form_button(f, B_GO, _("Safe checks"));
    form_button(f, B_PRACTISE, _("Practise"));
    form_button(f, B_TYPE, _("Type SMTP"));
    form_focus(f, F_DOMAIN);
}

void dialog_open_target(struct app *a)
{
    struct dialog *d = dialog_push(a, DIALOG_TARGET);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    char port[8] = "", source[NET_ADDRESS_TEXT] = "";
    if (a->plan.port != 0) {
        snprintf(port, sizeof(port), "%u", (unsigned)a->plan.port);
    }
    if (a->plan.source.family != 0) {
        net_address_format(&a->plan.source, source, sizeof(source));
    }
    form_init(f, _("Target"));
    form_text(f, F_DOMAIN, _("Domain or host"), a->plan.input);
    form_text(f, F_HOST, _("Use host"), a->plan.domain != NULL ? a->plan.host : NULL);
    form_text(f, F_PORT, _("Port"), port);
    const char *const modes[] = {_("auto"), "STARTTLS", _("implicit"), _("none")};
    form_radio(f, F_TLS, "TLS", modes, 4, (int)a->plan.tls);
    form_text(f, F_HELO, _("EHLO name"), a->plan.helo);
    form_text(f, F_SOURCE, _("Source address"), source);
    const char *const families[] = {_("any"), "4", "6"};
    form_radio(f, F_FAMILY, "IP", families, 3, a->plan.family == 4 ? 1 : a->plan.family == 6 ? 2 : 0);
    form_button(f, B_GO, _("Start safe checks"));
    form_button(f, B_NO, _("Cancel"));
    form_focus(f, F_DOMAIN);
}

/* Methods that a person can choose; 0 is the best of what is offered. */
static const char *const method_names[] = {NULL, "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256",
                                           "XOAUTH2", "OAUTHBEARER", "EXTERNAL"};

static void connection_sentence(const struct app *a, char *out, size_t size)
{
    const struct facts *path = record_path(&a->record);
    char host[128] = "?";
    if (path != NULL && path->mx != NULL) {
        escape_copy(host, sizeof(host), path->mx, strlen(path->mx), 0);
    } else if (path != NULL && path->address.family != 0) {
        net_address_format(&path->address, host, sizeof(host));
    }
    if (a->record.session_tls && path != NULL && path->tls != NULL) {
        snprintf(out, size,
                 path->tls->verified ? _("The connection is %s to %s, name ok.")
                                     : _("The connection is %s to %s, but the server's name was NOT proved."),
                 path->tls->version, host);
    } else if (a->record.session == SMTP_CLOSED) {
        snprintf(out, size, _("The connection to %s will be opened again, with TLS where it is offered."),
                 host);
    } else {
        snprintf(out, size, _("The connection to %s is WITHOUT ENCRYPTION: anybody on the way can read the password."),
                 host);
    }
}

void dialog_open_login(struct app *a)
{
    if (a->plan.read_only) {
        app_say(a, true, "%s", _("--read-only: this run never logs in."));
        return;
    }
    struct dialog *d = dialog_push(a, DIALOG_LOGIN);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    char about[320];
    connection_sentence(a, about, sizeof(about));
    form_init(f, _("Log in"));
    form_text(f, F_USER, _("User"), a->plan.auth_user);
    form_password(f, F_PASSWORD, _("Password"));
    form_check(f, F_SHOW, _("show the password while it is typed"), false);
    const char *const methods[] = {_("best"), "PLAIN", "LOGIN", "CRAM", "SCRAM", "XOAUTH2", "OAUTH", "EXT"};
    int method = 0;
    for (int i = 1; i < (int)ARRAY_LEN(method_names); i++) {
        if (a->plan.auth_mech != NULL && str_equal_nocase(a->plan.auth_mech, method_names[i])) {
            method = i;
        }
    }
    form_radio(f, F_METHOD, _("Method"), methods, 8, method);
    bool clear = a->record.session != SMTP_CLOSED && !a->record.session_tls;
    if (clear) {
        form_check(f, F_CLEAR, _("send the password WITHOUT ENCRYPTION"), false);
    }
    form_note(f, "%s", about);
    form_note(f, "%s", _("Kept in memory only, wiped after use, never saved."));
    form_button(f, B_GO, _("Log in"));
    form_button(f, B_NO, _("Cancel"));
    form_focus(f, F_USER);
}

void dialog_open_relay(struct app *a)
{
    if (a->plan.read_only) {
        app_say(a, true, "%s", _("--read-only: this run never tests relaying."));
        return;
    }
    struct dialog *d = dialog_push(a, DIALOG_RELAY);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    const struct facts *path = record_path(&a->record);
    char where[NET_ADDRESS_TEXT] = "?", host[200] = "";
    if (path != NULL) {
        net_address_format_port(&path->address, where, sizeof(where));
        if (path->mx != NULL) {
            escape_copy(host, sizeof(host), path->mx, strlen(path->mx), 0);
        }
    }
    form_init(f, _("Relay test: please confirm"));
    form_note(f, _("Asks %s [%s] whether it would forward mail between two domains that it does not host:"),
              host, where);
    form_note(f, "%s", _("  MAIL FROM:<...>  RCPT TO:<...@example.org>  RSET"));
    form_note(f, "%s", _("Three address forms. No DATA: no message can be sent."));
    form_note(f, "%s", _("The server's log will show it, and the server may block this host. Only do this to servers that you run or may test."));
    form_check(f, F_MAY, _("I may test this server"), false);
    form_button(f, B_NO, _("No"));
    form_button(f, B_GO, _("Test"));
    form_focus(f, B_NO);
}

void dialog_open_send(struct app *a)
{
    if (a->plan.read_only) {
        app_say(a, true, "%s", _("--read-only: this run never sends a message."));
        return;
    }
    struct dialog *d = dialog_push(a, DIALOG_SEND);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    char subject[96], when[32], to[300] = "";
    clock_iso8601(a->record.started_wall_us, when, sizeof(when));
    snprintf(subject, sizeof(subject), _("Test from smtpscope, %s"), when);
    if (a->plan.to != NULL) {
        str_copy(to, sizeof(to), a->plan.to);
    } else if (a->plan.domain != NULL) {
        snprintf(to, sizeof(to), "postmaster@%s", a->plan.domain);
    }
    form_init(f, _("Send one test mail"));
    form_text(f, F_FROM, _("From"), a->plan.from);
    form_text(f, F_TO, _("To"), to);
    form_text(f, F_SUBJECT, _("Subject"), a->plan.subject != NULL ? a->plan.subject : subject);
    form_note(f, "%s", _("One message to one recipient, with a header that names this program. From may stay empty: then it is postmaster at the EHLO name."));
    form_button(f, B_NO, _("No"));
    form_button(f, B_VIEW, _("View exact bytes"));
    form_button(f, B_GO, _("Send 1 mail"));
    form_focus(f, B_NO);
}

static enum report_format format_of(struct form *f)
{
    return (enum report_format)form_field(f, F_FORMAT)->choice;
}

static void save_suggest(struct app *a, struct form *f)
{
    char name[512];
    report_file_name(&a->record, &a->plan, format_of(f), name, sizeof(name));
    (void)!lineedit_set(&form_field(f, F_NAME)->edit, name);
}

void dialog_open_save(struct app *a)
{
    struct dialog *d = dialog_push(a, DIALOG_SAVE);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    form_init(f, _("Save this run"));
    const char *const formats[] = {_("text"), "Markdown", "JSON"};
    form_radio(f, F_FORMAT, _("Format"), formats, 3, 0);
    form_text(f, F_NAME, _("File name"), NULL);
    const char *const existing[] = {_("add a number"), _("overwrite")};
    form_radio(f, F_EXISTING, _("If it exists"), existing, 2, 0);
    form_note(f, "%s", _("Readable by you only (0600). Passwords were never recorded."));
    form_button(f, B_GO, _("Save"));
    form_button(f, B_NO, _("Cancel"));
    save_suggest(a, f);
    form_focus(f, F_NAME);
}

void dialog_open_quit(struct app *a)
{
    struct dialog *d = dialog_push(a, DIALOG_QUIT);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    form_init(f, _("Leave smtpscope?"));
    form_note(f, "%s",
              app_running(a) ? _("A run is under way. Leaving ends it with QUIT.")
                             : _("The conversation that you typed is not saved."));
    form_button(f, B_NO, _("Stay"));
    form_button(f, B_VIEW, _("Save first"));
    form_button(f, B_GO, _("Leave"));
    form_focus(f, B_NO);
}

void dialog_open_list(struct app *a, enum list_purpose purpose)
{
    enum key_mode mode = app_mode(a);
    if (a->dialog_count > 0) {
        mode = MODE_START;
    }
    struct dialog *d = dialog_push(a, DIALOG_LIST);
    if (d == NULL) {
        return;
    }
    d->mode = mode;
    list_open(a, d, purpose);
}

void dialog_open_text(struct app *a, const char *title, struct buf *text)
{
    struct dialog *d = dialog_push(a, DIALOG_TEXT);
    if (d == NULL) {
        buf_free(text);
        return;
    }
    buf_free(&d->text);
    d->title = title;
    d->text = *text;
    memset(text, 0, sizeof(*text));
}

/* "" or a port number. */
static bool parse_port(const char *text, uint16_t *port)
{
    char *end = NULL;
    if (text[0] == '\0') {
        *port = 0;
        return true;
    }
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < 1 || value > 65535) {
        return false;
    }
    *port = (uint16_t)value;
    return true;
}

/* Tries the whole target on a copy, so that an error leaves the plan as it was. */
static bool accept_target(struct app *a, struct form *f)
{
    struct error error = {0};
    struct plan plan;
    bool good = false;
    plan_init(&plan);
    if (plan_copy(&plan, &a->plan) != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory."));
        goto out;
    }
    bool start = f->fields[0].kind == FIELD_NOTE; /* the start screen has the shorter form */
    if (plan_set_target(&plan, form_value(f, F_DOMAIN), &error) != ST_OK) {
        form_error(f, F_DOMAIN, error.text);
        goto out;
    }
    if (start) {
        uint16_t port = port_of_choice[form_field(f, F_PORT)->choice];
        if (port != 0) {
            plan.port = port;
        } else if (form_field(f, F_PURPOSE)->choice == 1 && plan.port == 0) {
            plan.port = 587;
        }
    } else {
        uint16_t port = 0;
        if (!parse_port(form_value(f, F_PORT), &port)) {
            form_error(f, F_PORT, _("A port is a number from 1 to 65535."));
            goto out;
        }
        plan.port = port != 0 ? port : plan.port;
        plan.tls = (enum plan_tls)form_field(f, F_TLS)->choice;
        static const int families[] = {0, 4, 6};
        plan.family = families[form_field(f, F_FAMILY)->choice];
        if (form_value(f, F_HOST)[0] != '\0' &&
            plan_set_host(&plan, form_value(f, F_HOST), &error) != ST_OK) {
            form_error(f, F_HOST, error.text);
            goto out;
        }
        const char *helo = form_value(f, F_HELO);
        if (str_set(&plan.helo, helo[0] != '\0' ? helo : NULL) != ST_OK) {
            goto out;
        }
        memset(&plan.source, 0, sizeof(plan.source));
        const char *source = form_value(f, F_SOURCE);
        if (source[0] != '\0' && !net_address_parse(source, &plan.source)) {
            form_error(f, F_SOURCE, _("This is no IP address. Leave it empty for any."));
            goto out;
        }
        if (plan_validate(&plan, &error) != ST_OK) {
            form_error(f, F_HELO, error.text);
            goto out;
        }
    }
    plan_free(&a->plan);
    if (plan_copy(&a->plan, &plan) != ST_OK) {
        app_say(a, true, "%s", _("Not enough memory."));
        goto out;
    }
    good = true;
out:
    plan_free(&plan);
    return good;
}

static void start_on_real_network(struct app *a)
{
    /* From the start screen or a demo to a real target: another network, hence another engine. */
    if ((a->engine == NULL || a->demo) && a->options->scenario == NULL) {
        if (!app_connect_engine(a, NULL)) {
            return;
        }
    }
    app_start_run(a);
}

static void press_start(struct app *a, struct dialog *d, int pressed)
{
    if (pressed == B_PRACTISE) {
        dialog_open_list(a, LIST_SCENARIOS);
        return;
    }
    form_clear_errors(&d->form);
    if (!accept_target(a, &d->form)) {
        return;
    }
    dialog_close(a);
    start_on_real_network(a);
    if (pressed == B_TYPE) {
        a->wish.focus = PANE_TYPE;
    }
}

static void press_target(struct app *a, struct dialog *d, int pressed)
{
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    form_clear_errors(&d->form);
    if (accept_target(a, &d->form)) {
        dialog_close(a);
        start_on_real_network(a);
    }
}

/* Hands one step with consent to the engine; the consent lives only in this copy of the plan. */
static void run_with_consent(struct app *a, struct plan *plan, enum check_id check)
{
    if (a->engine == NULL || engine_step(a->engine, check, plan) != ST_OK) {
        app_say(a, true, "%s", _("The engine did not take the command."));
    } else {
        a->session_wanted = true;
        a->step = check;
        a->step_moved = true;
        a->advice_scroll = 0;
    }
}

static void press_login(struct app *a, struct dialog *d, int pressed)
{
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    struct form *f = &d->form;
    form_clear_errors(f);
    const char *user = form_value(f, F_USER);
    const struct lineedit *password = &form_field(f, F_PASSWORD)->edit;
    int method = form_field(f, F_METHOD)->choice;
    bool external = method == (int)ARRAY_LEN(method_names) - 1;
    if (user[0] == '\0' && !external) {
        form_error(f, F_USER, _("Log in as whom? Most servers want the whole address."));
        return;
    }
    if (password->len == 0 && !external) {
        form_error(f, F_PASSWORD, _("The password is missing."));
        return;
    }
    bool clear_box = a->record.session != SMTP_CLOSED && !a->record.session_tls;
    if (clear_box && form_field(f, F_CLEAR)->kind == FIELD_CHECK && !form_field(f, F_CLEAR)->on) {
        form_error(f, F_CLEAR, _("Tick this box if the password may really go out in clear."));
        return;
    }
    struct plan plan;
    plan_init(&plan);
    if (plan_copy(&plan, &a->plan) == ST_OK && str_set(&plan.auth_user, user) == ST_OK &&
        str_set(&plan.auth_mech, method_names[method]) == ST_OK &&
        secret_set(&plan.password, lineedit_text(password), password->len) == ST_OK) {
        plan.auth_wanted = true;
        plan.auth_in_clear = clear_box;
        (void)!str_set(&a->plan.auth_user, user);
        (void)!str_set(&a->plan.auth_mech, method_names[method]);
        dialog_close(a);
        run_with_consent(a, &plan, CHECK_AUTH);
    } else {
        form_error(f, F_PASSWORD, _("User or password is too long."));
    }
    plan_free(&plan);
}

static void press_relay(struct app *a, struct dialog *d, int pressed)
{
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    if (!form_field(&d->form, F_MAY)->on) {
        form_error(&d->form, F_MAY, _("Tick this box first: space."));
        return;
    }
    struct plan plan;
    plan_init(&plan);
    dialog_close(a);
    if (plan_copy(&plan, &a->plan) == ST_OK) {
        plan.relay_consent = true;
        run_with_consent(a, &plan, CHECK_RELAY);
    }
    plan_free(&plan);
}

static void view_message(struct app *a, struct form *f)
{
    struct error error = {0};
    struct buf raw, id, shown;
    bool eight_bit = false;
    buf_init(&raw, 1u << 20);
    buf_init(&id, 1024);
    buf_init(&shown, 4u << 20);
    const struct facts *path = record_path(&a->record);
    const char *helo = path != NULL && path->ehlo_name != NULL ? path->ehlo_name : "localhost";
    const char *from = form_value(f, F_FROM);
    char made_up[300];
    if (from[0] == '\0') {
        snprintf(made_up, sizeof(made_up), "postmaster@%s", helo);
        from = made_up;
    }
    struct compose_message m = {.from = from,
                                .to = form_value(f, F_TO),
                                .subject = form_value(f, F_SUBJECT),
                                .helo = helo,
                                .run_id = "preview",
                                .wall_us = a->record.started_wall_us};
    if (compose_build(&m, &raw, &id, &eight_bit, &error) != ST_OK) {
        form_error(f, F_TO, error.text);
        buf_free(&shown);
    } else {
        /* Line by line through the one escaping door; CR LF is shown as the line end that it is. */
        for (size_t at = 0; at < raw.len;) {
            const char *end = memchr(raw.p + at, '\n', raw.len - at);
            size_t len = end != NULL ? (size_t)(end - raw.p) - at : raw.len - at;
            size_t text = len > 0 && raw.p[at + len - 1] == '\r' ? len - 1 : len;
            if (escape_add(&shown, raw.p + at, text, 0) != ST_OK || buf_add_char(&shown, '\n') != ST_OK) {
                break;
            }
            at += len + 1;
        }
        dialog_open_text(a, _("The message, as it will be sent (date and id will be new)"), &shown);
    }
    buf_free(&raw);
    buf_free(&id);
}

static void press_send(struct app *a, struct dialog *d, int pressed)
{
    struct form *f = &d->form;
    struct error error = {0};
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    form_clear_errors(f);
    if (form_value(f, F_FROM)[0] != '\0' && address_check(form_value(f, F_FROM), true, true, &error) != ST_OK) {
        form_error(f, F_FROM, error.text);
        return;
    }
    if (address_check(form_value(f, F_TO), false, true, &error) != ST_OK) {
        form_error(f, F_TO, error.text);
        return;
    }
    if (pressed == B_VIEW) {
        view_message(a, f);
        return;
    }
    struct plan plan;
    plan_init(&plan);
    const char *from = form_value(f, F_FROM);
    if (plan_copy(&plan, &a->plan) == ST_OK && str_set(&plan.to, form_value(f, F_TO)) == ST_OK &&
        str_set(&plan.subject, form_value(f, F_SUBJECT)) == ST_OK &&
        str_set(&plan.from, from[0] != '\0' ? from : NULL) == ST_OK) {
        plan.send_consent = true;
        dialog_close(a);
        run_with_consent(a, &plan, CHECK_SEND);
    }
    plan_free(&plan);
}

static void press_save(struct app *a, struct dialog *d, int pressed)
{
    struct form *f = &d->form;
    if (pressed == B_NO) {
        dialog_close(a);
        return;
    }
    form_clear_errors(f);
    struct error error = {0};
    struct buf out, name;
    buf_init(&out, REPORT_MAX);
    buf_init(&name, 8192);
    enum status status = ST_OK;
    if (a->english == NULL) {
        status = guide_load(&a->english, NULL, "en", &error);
    }
    struct report_options o = {format_of(f), a->ascii, &a->plan, a->guide, a->english};
    if (status == ST_OK) {
        status = report_build(&a->record, &o, &out);
        if (status != ST_OK) {
            error_set(&error, status, 0, "%s", _("The report does not fit into memory."));
        }
    }
    if (status == ST_OK) {
        unsigned flags = form_field(f, F_EXISTING)->choice == 1 ? SAVE_OVERWRITE : SAVE_NUMBER;
        status = savefile_write(form_value(f, F_NAME), out.p, out.len, flags, &name, &error);
    }
    if (status != ST_OK) {
        /* The box stays, the data stays: another name or folder can be tried. */
        form_error(f, F_NAME, error.text);
    } else {
        char shown[300];
        escape_copy(shown, sizeof(shown), buf_str(&name), name.len, 0);
        dialog_close(a);
        a->saved = true;
        str_copy(a->saved_name, sizeof(a->saved_name), buf_str(&name));
        app_say(a, false, _("Saved: %s (%zu bytes)."), shown, out.len);
        if (dialog_top(a) != NULL && dialog_top(a)->kind == DIALOG_QUIT) {
            dialog_close(a);
            a->requests |= APP_QUIT;
        }
    }
    buf_free(&out);
    buf_free(&name);
}

static void press_quit(struct app *a, struct dialog *d, int pressed)
{
    (void)d;
    if (pressed == B_GO) {
        a->requests |= APP_QUIT;
    } else if (pressed == B_VIEW) {
        dialog_open_save(a);
    } else {
        dialog_close(a);
    }
}

static void (*const press_table[])(struct app *, struct dialog *, int) = {
    [DIALOG_START] = press_start, [DIALOG_TARGET] = press_target, [DIALOG_LOGIN] = press_login,
    [DIALOG_RELAY] = press_relay, [DIALOG_SEND] = press_send,     [DIALOG_SAVE] = press_save,
    [DIALOG_QUIT] = press_quit,
};

bool dialog_in_text(const struct dialog *d)
{
    return d->kind == DIALOG_LIST || (d->kind != DIALOG_TEXT && form_in_text(&d->form));
}

/* Keys that mean the same in every box: those of the terminal, help, and leaving. */
static bool common_key(struct app *a, struct dialog *d, uint32_t key)
{
    if (key == KEY_CTRL('L')) {
        a->requests |= APP_REDRAW;
        return true;
    }
    if (key == KEY_CTRL('Z')) {
        a->requests |= APP_SUSPEND;
        return true;
    }
    if (key == UKEY_F10 || key == KEY_CTRL('C')) {
        if (d->kind == DIALOG_START) {
            a->requests |= APP_QUIT;
        } else {
            dialog_close(a);
        }
        return true;
    }
    if (key == UKEY_F1 && d->kind != DIALOG_LIST) {
        dialog_open_list(a, LIST_HELP);
        return true;
    }
    return false;
}

void dialog_key(struct app *a, uint32_t key)
{
    struct dialog *d = dialog_top(a);
    if (common_key(a, d, key)) {
        return;
    }
    if (d->kind == DIALOG_LIST) {
        list_key(a, d, key);
        return;
    }
    if (d->kind == DIALOG_TEXT) {
        text_key(a, d, key);
        return;
    }
    int pressed = -1;
    int format = d->kind == DIALOG_SAVE ? form_field(&d->form, F_FORMAT)->choice : 0;
    bool careful = d->kind == DIALOG_RELAY || d->kind == DIALOG_SEND || d->kind == DIALOG_LOGIN;
    switch (form_key(&d->form, key, careful, &pressed)) {
    case FORM_PRESSED:
        press_table[d->kind](a, d, pressed);
        break;
    case FORM_CANCELLED:
        if (d->kind != DIALOG_START) {
            dialog_close(a);
        } else if (key == 'q') {
            a->requests |= APP_QUIT;
        }
        break;
    case FORM_CHANGED:
        if (d->kind == DIALOG_SAVE && form_field(&d->form, F_FORMAT)->choice != format) {
            save_suggest(a, &d->form);
        }
        if (d->kind == DIALOG_LOGIN) {
            form_field(&d->form, F_PASSWORD)->on = form_field(&d->form, F_SHOW)->on;
        }
        break;
    case FORM_IGNORED:
        break;
    }
}

void dialog_paste(struct app *a, const char *p, size_t len)
{
    struct dialog *d = dialog_top(a);
    struct lineedit *into = NULL;
    if (d->kind == DIALOG_LIST) {
        into = &d->filter;
    } else if (d->kind != DIALOG_TEXT && form_in_text(&d->form)) {
        into = &d->form.fields[d->form.focus].edit;
    }
    if (into != NULL && lineedit_insert(into, p, len) != ST_OK) {
        app_say(a, true, "%s", _("The pasted text is too long for this field."));
    }
}

void dialog_draw(struct app *a, struct dialog *d, struct canvas *c)
{
    if (d->kind == DIALOG_LIST) {
        list_draw(a, d, c);
    } else if (d->kind == DIALOG_TEXT) {
        text_draw(d, c);
    } else {
        form_draw(&d->form, c, false);
        if (d->kind == DIALOG_START && a->status[0] != '\0') {
            struct rect row = {0, c->h - 1, c->w, 1};
            canvas_str(c, row, 1, c->h - 1, a->status_error ? ROLE_ERROR : ROLE_TEXT, a->status);
        }
    }
}
