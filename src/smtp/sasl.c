#include "sasl.h"

#include <stdlib.h>
#include <string.h>

#include "sasl_impl.h"
#include "text.h"

#define OAUTH_ERROR_MAX 4096

struct mech_info {
    const char *name;
    sasl_step_fn *step;
    bool initial, sends_password, oauth, scram, plus;
};

static const struct mech_info mechs[MECH_COUNT] = {
    [MECH_EXTERNAL] = {"EXTERNAL", sasl_external_step, .initial = true},
    [MECH_SCRAM_SHA_256_PLUS] = {"SCRAM-SHA-256-PLUS", sasl_scram_step, .initial = true,
                                 .scram = true, .plus = true},
    [MECH_SCRAM_SHA_256] = {"SCRAM-SHA-256", sasl_scram_step, .initial = true, .scram = true},
    [MECH_SCRAM_SHA_1_PLUS] = {"SCRAM-SHA-1-PLUS", sasl_scram_step, .initial = true, .scram = true,
                               .plus = true},
    [MECH_SCRAM_SHA_1] = {"SCRAM-SHA-1", sasl_scram_step, .initial = true, .scram = true},
    [MECH_OAUTHBEARER] = {"OAUTHBEARER", sasl_oauth_step, .initial = true, .sends_password = true,
                          .oauth = true},
    [MECH_XOAUTH2] = {"XOAUTH2", sasl_oauth_step, .initial = true, .sends_password = true,
                      .oauth = true},
    [MECH_CRAM_MD5] = {"CRAM-MD5", sasl_cram_step, .initial = false},
    [MECH_PLAIN] = {"PLAIN", sasl_plain_step, .initial = true, .sends_password = true},
    [MECH_LOGIN] = {"LOGIN", sasl_login_step, .initial = false, .sends_password = true},
};

static const struct mech_info *info_of(enum sasl_mech mech)
{
    size_t i = (size_t)mech;
    return i < ARRAY_LEN(mechs) ? &mechs[i] : &mechs[MECH_NONE];
}

const char *sasl_mech_name(enum sasl_mech mech)
{
    const char *name = info_of(mech)->name;
    return name != NULL ? name : "";
}

enum sasl_mech sasl_mech_find(const char *name)
{
    for (size_t i = MECH_NONE + 1; i < MECH_COUNT; i++) {
        if (str_equal_nocase(mechs[i].name, name)) {
            return (enum sasl_mech)i;
        }
    }
    return MECH_NONE;
}

bool sasl_mech_sends_password(enum sasl_mech mech)
{
    return info_of(mech)->sends_password;
}

bool sasl_mech_is_oauth(enum sasl_mech mech)
{
    return info_of(mech)->oauth;
}

bool sasl_can_bind(const struct tls_facts *tls)
{
    return tls != NULL && tls->done &&
           ((tls->binding_type != NULL && tls->binding_len > 0) || tls->end_point_len > 0);
}

enum sasl_mech sasl_mech_choose(const char (*offered)[32], size_t count, bool oauth, bool binding)
{
    enum sasl_mech best = MECH_NONE;
    for (size_t i = 0; i < count; i++) {
        enum sasl_mech mech = sasl_mech_find(offered[i]);
        const struct mech_info *info = info_of(mech);
        /* EXTERNAL needs neither a password nor a token, so it is never the answer to having one.
         */
        bool fits = mech != MECH_NONE && mech != MECH_EXTERNAL && info->oauth == oauth &&
                    (!info->plus || binding);
        if (fits && (best == MECH_NONE || mech < best)) {
            best = mech;
        }
    }
    return best;
}

static enum status check_name(const char *name, const char *text, struct error *error)
{
    if (strlen(name) > SASL_NAME_MAX) {
        return error_set(error, ST_INVALID, 0, _("The user name is longer than %d bytes."),
                         SASL_NAME_MAX);
    }
    for (const char *p = name; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            return error_set(error, ST_INVALID, 0, "%s", text);
        }
    }
    return ST_OK;
}

static enum status check_params(const struct sasl_params *params, struct error *error)
{
    const struct mech_info *info = info_of(params->mech);
    const struct secret *password = params->password;
    if (info->step == NULL) {
        return error_set(error, ST_INVALID, 0, _("This login method is not known."));
    }
    const char *user = params->user != NULL ? params->user : "";
    enum status st = check_name(user, _("The user name holds a control character."), error);
    if (st == ST_OK && params->authzid != NULL) {
        st = check_name(params->authzid, _("The authorization name holds a control character."),
                        error);
    }
    if (st != ST_OK || params->mech == MECH_EXTERNAL) {
        return st;
    }
    if (user[0] == '\0') {
        return error_set(error, ST_INVALID, 0, _("The login needs a user name."));
    }
    if (password == NULL || !secret_is_set(password) || password->len == 0) {
        return error_set(error, ST_INVALID, 0, _("The login needs a password or a token."));
    }
    for (size_t i = 0; i < password->len; i++) {
        unsigned char c = (unsigned char)password->p[i];
        /* The token stands between separators of its own (RFC 7628 3.1). */
        if (c == '\0' || (info->oauth && (c <= 0x20 || c >= 0x7f))) {
            return error_set(error, ST_INVALID, 0,
                             _("The password or token holds a character that cannot be sent."));
        }
    }
    if (info->plus && !sasl_can_bind(params->tls)) {
        return error_set(error, ST_INVALID, 0,
                         _("This login method is bound to the encryption, and there is none."));
    }
    return ST_OK;
}

enum status sasl_start(const struct sasl_params *params, struct sasl **out, struct error *error)
{
    *out = NULL;
    enum status st = check_params(params, error);
    if (st != ST_OK) {
        return st;
    }
    struct sasl *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return error_set(error, ST_NOMEM, 0, _("There is not enough memory for the login."));
    }
    s->mech = params->mech;
    s->port = params->port;
    buf_init(&s->shown, SASL_CHALLENGE_MAX + SECRET_MAX);
    buf_init(&s->oauth_error, OAUTH_ERROR_MAX);
    buf_init(&s->scram.gs2, 4 * SASL_NAME_MAX);
    buf_init(&s->scram.first_bare, 4 * SASL_NAME_MAX);
    st = str_set(&s->user, params->user != NULL ? params->user : "");
    if (st == ST_OK) {
        st = str_set(&s->authzid, params->authzid != NULL ? params->authzid : "");
    }
    if (st == ST_OK) {
        st = str_set(&s->host, params->host != NULL ? params->host : "");
    }
    if (st == ST_OK && params->password != NULL) {
        st = secret_copy(&s->password, params->password);
    }
    if (st != ST_OK) {
        error_set(error, st, 0, _("There is not enough memory for the login."));
    } else if (info_of(s->mech)->scram) {
        st = sasl_scram_start(s, params, error);
    }
    if (st != ST_OK) {
        sasl_free(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

void sasl_free(struct sasl *s)
{
    if (s == NULL) {
        return;
    }
    sasl_scram_free(s);
    secret_free(&s->password);
    buf_wipe(&s->shown);
    buf_wipe(&s->oauth_error);
    free(s->user);
    free(s->authzid);
    free(s->host);
    secret_wipe(s, sizeof(*s));
    free(s);
}

bool sasl_has_initial(const struct sasl *s)
{
    return info_of(s->mech)->initial;
}

enum status sasl_asked_too_much(struct error *error)
{
    return error_set(error, ST_PROTO, 0,
                     _("The server asks for more than this login method can answer."));
}

enum status sasl_add_name(struct buf *out, const char *name)
{
    enum status st = ST_OK;
    for (const char *p = name; *p != '\0' && st == ST_OK; p++) {
        st = *p == ','   ? buf_add_str(out, "=2C")
             : *p == '=' ? buf_add_str(out, "=3D")
                         : buf_add_char(out, *p);
    }
    return st;
}

enum status sasl_step(struct sasl *s, const char *challenge, size_t len, struct buf *response,
                      bool *secret_response, struct error *error)
{
    struct span span = {challenge != NULL ? challenge : "", challenge != NULL ? len : 0};
    *secret_response = true;
    buf_wipe(response);
    buf_clear(&s->shown);
    if (span.len > SASL_CHALLENGE_MAX) {
        return error_set(error, ST_PROTO, 0,
                         _("The question of the server is longer than %d bytes."),
                         SASL_CHALLENGE_MAX);
    }
    if (s->step >= SASL_STEPS_MAX) {
        return sasl_asked_too_much(error);
    }
    enum status st = info_of(s->mech)->step(s, span, response, secret_response, error);
    s->step++;
    if (st == ST_NOMEM || st == ST_LIMIT) {
        return error_set(error, st, 0, _("There is not enough memory for the login."));
    }
    return st;
}

enum status sasl_finish(struct sasl *s, struct error *error)
{
    if (info_of(s->mech)->scram && !s->scram.verified) {
        return error_set(error, ST_PROTO, SASL_UNPROVEN,
                         _("The server accepted the login but did not prove that it knows the "
                           "password."));
    }
    return ST_OK;
}

const char *sasl_oauth_error(const struct sasl *s)
{
    return buf_str(&s->oauth_error);
}

const char *sasl_shown(const struct sasl *s)
{
    return buf_str(&s->shown);
}
