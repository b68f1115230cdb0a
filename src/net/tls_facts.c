#include "tls_facts.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* OpenSSL's level 2: RSA under 2048 bits, curves under 224 bits and SHA-1 signatures are weak. It
   is what Debian and OpenSSL 3.2 demand of servers. */
#define AUTH_LEVEL 2
/* RFC 9266 section 2 */
#define EXPORTER_LABEL "EXPORTER-Channel-Binding"
#define EXPORTER_LEN 32

struct code_reason {
    int code;
    enum tls_reason reason;
};

static const struct code_reason code_table[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, TLS_REASON_EXPIRED},
    {X509_V_ERR_CERT_NOT_YET_VALID, TLS_REASON_NOT_YET_VALID},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TLS_REASON_SELF_SIGNED},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TLS_REASON_UNTRUSTED_ROOT},
    {X509_V_ERR_CERT_UNTRUSTED, TLS_REASON_UNTRUSTED_ROOT},
    {X509_V_ERR_HOSTNAME_MISMATCH, TLS_REASON_WRONG_NAME},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, TLS_REASON_WRONG_NAME},
    {X509_V_ERR_CERT_REVOKED, TLS_REASON_REVOKED},
    {X509_V_ERR_EE_KEY_TOO_SMALL, TLS_REASON_WEAK},
    {X509_V_ERR_CA_KEY_TOO_SMALL, TLS_REASON_WEAK},
    {X509_V_ERR_CA_MD_TOO_WEAK, TLS_REASON_WEAK},
    {X509_V_ERR_INVALID_PURPOSE, TLS_REASON_PURPOSE},
    {X509_V_ERR_CERT_REJECTED, TLS_REASON_PURPOSE},
    {X509_V_ERR_INVALID_CA, TLS_REASON_PURPOSE},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, TLS_REASON_PURPOSE},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, TLS_REASON_SIGNATURE},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, TLS_REASON_SIGNATURE},
    {X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, TLS_REASON_SIGNATURE},
};

/*
 * Which one to show first when there are several: what makes the others meaningless comes first. A
 * certificate that is its own issuer was never meant to pass; an expired one has to be renewed
 * whatever else is wrong with it.
 */
static const enum tls_reason first_to_show[] = {
    TLS_REASON_SIGNATURE,        TLS_REASON_REVOKED,        TLS_REASON_SELF_SIGNED,
    TLS_REASON_EXPIRED,          TLS_REASON_NOT_YET_VALID,  TLS_REASON_INCOMPLETE_CHAIN,
    TLS_REASON_UNTRUSTED_ROOT,   TLS_REASON_WRONG_NAME,     TLS_REASON_NO_SAN,
    TLS_REASON_PURPOSE,          TLS_REASON_WEAK,           TLS_REASON_OTHER,
};

static enum tls_reason reason_of_code(int code, int depth)
{
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        /* The chain ends without a root. When not even the issuer of the server's own certificate
           is there, the server left it out; when the chain goes further, servers rightly leave the
           root out, and it is ours that lacks it. */
        return depth == 0 ? TLS_REASON_INCOMPLETE_CHAIN : TLS_REASON_UNTRUSTED_ROOT;
    default:
        for (size_t i = 0; i < ARRAY_LEN(code_table); i++) {
            if (code_table[i].code == code) {
                return code_table[i].reason;
            }
        }
        return TLS_REASON_OTHER;
    }
}

static void add_error(struct tls_facts *facts, int depth, int code, enum tls_reason reason)
{
    for (size_t i = 0; i < facts->error_count; i++) {
        if (facts->errors[i].depth == depth && facts->errors[i].code == code) {
            return;
        }
    }
    if (facts->error_count < TLS_ERRORS_MAX) {
        struct tls_chain_error e = {.depth = depth, .code = code, .reason = reason};
        facts->errors[facts->error_count++] = e;
    }
}

/* Bytes that may hold anything, as a string: a NUL inside would hide the rest of a forged name. */
static void copy_bytes(char *dst, size_t size, const unsigned char *p, size_t len)
{
    static const char nul[] = "\\x00";
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        bool is_nul = p[i] == '\0';
        size_t need = is_nul ? sizeof(nul) - 1 : 1;
        if (used + need >= size) {
            break;
        }
        if (is_nul) {
            memcpy(dst + used, nul, need);
        } else {
            dst[used] = (char)p[i];
        }
        used += need;
    }
    dst[used] = '\0';
}

static void copy_name(char *dst, size_t size, const X509_NAME *name)
{
    /* UTF-8 as it is: escaping for the eye is done where it is shown. Control characters are
       escaped here as well, since a NUL would end the string. */
    unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    BIO *bio = BIO_new(BIO_s_mem());
    dst[0] = '\0';
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
        char *p;
        long len = BIO_get_mem_data(bio, &p);
        copy_bytes(dst, size, (const unsigned char *)p, len > 0 ? (size_t)len : 0);
    }
    BIO_free(bio);
}

static int64_t seconds_of(const ASN1_TIME *t)
{
    struct tm tm;
    if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1) {
        return 0;
    }
    return (int64_t)timegm(&tm);
}

/* "prime256v1" is what the library says and "P-256" what everybody reads. */
static void describe_curve(char *out, size_t size, const char *prefix, const char *group)
{
    const char *nist = EC_curve_nid2nist(OBJ_txt2nid(group));
    snprintf(out, size, "%s%s", prefix, nist != NULL ? nist : group);
}

static void describe_key(char *out, size_t size, const EVP_PKEY *key)
{
    char group[32] = "";
    if (key == NULL) {
        snprintf(out, size, "unknown");
        return;
    }
    int bits = EVP_PKEY_get_bits(key);
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        snprintf(out, size, "RSA %d", bits);
        break;
    case EVP_PKEY_RSA_PSS:
        snprintf(out, size, "RSA-PSS %d", bits);
        break;
    case EVP_PKEY_DSA:
        snprintf(out, size, "DSA %d", bits);
        break;
    case EVP_PKEY_EC:
        if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1) {
            describe_curve(out, size, "EC ", group);
        } else {
            snprintf(out, size, "EC %d", bits);
        }
        break;
    case EVP_PKEY_ED25519:
        snprintf(out, size, "Ed25519");
        break;
    case EVP_PKEY_ED448:
        snprintf(out, size, "Ed448");
        break;
    default: {
        const char *type = EVP_PKEY_get0_type_name(key);
        snprintf(out, size, "%s %d", type != NULL ? type : "unknown", bits);
        break;
    }
    }
}

static void describe_signature(char *out, size_t size, const X509 *cert)
{
    int nid = X509_get_signature_nid(cert);
    if (nid != NID_undef) {
        (void)str_copy(out, size, OBJ_nid2ln(nid));
        return;
    }
    const X509_ALGOR *algorithm = NULL;
    X509_get0_signature(NULL, &algorithm, cert);
    if (algorithm == NULL || OBJ_obj2txt(out, (int)size, algorithm->algorithm, 1) <= 0) {
        (void)str_copy(out, size, "unknown");
    }
}

static void describe_cert(struct tls_cert *out, X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    copy_name(out->subject, sizeof(out->subject), X509_get_subject_name(cert));
    copy_name(out->issuer, sizeof(out->issuer), X509_get_issuer_name(cert));
    out->not_before = seconds_of(X509_get0_notBefore(cert));
    out->not_after = seconds_of(X509_get0_notAfter(cert));
    describe_key(out->key, sizeof(out->key), X509_get0_pubkey(cert));
    describe_signature(out->signature, sizeof(out->signature), cert);
    if (X509_digest(cert, EVP_sha256(), digest, &len) == 1 && len * 2 < sizeof(out->sha256)) {
        for (unsigned int i = 0; i < len; i++) {
            snprintf(out->sha256 + 2 * i, 3, "%02x", digest[i]);
        }
    }
    out->self_signed = X509_self_signed(cert, 1) == 1;
}

static void add_alt_name(struct tls_facts *facts, const GENERAL_NAME *g)
{
    char *slot = facts->names[facts->name_count];
    const unsigned char *p;
    size_t len;
    if (g->type == GEN_DNS) {
        p = ASN1_STRING_get0_data(g->d.dNSName);
        len = (size_t)ASN1_STRING_length(g->d.dNSName);
    } else if (g->type == GEN_IPADD) {
        p = ASN1_STRING_get0_data(g->d.iPAddress);
        len = (size_t)ASN1_STRING_length(g->d.iPAddress);
        if (len != 4 && len != 16) {
            return;
        }
    } else {
        return;
    }
    facts->name_total++;
    if (facts->name_count == TLS_NAMES_MAX) {
        return;
    }
    if (g->type == GEN_IPADD) {
        struct net_address a = {.family = len == 4 ? 4 : 6};
        memcpy(a.bytes, p, len);
        net_address_format(&a, slot, TLS_NAME_TEXT);
    } else {
        copy_bytes(slot, TLS_NAME_TEXT, p, len);
    }
    facts->name_count++;
}

static void read_alt_names(struct tls_facts *facts, const X509 *leaf)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        add_alt_name(facts, sk_GENERAL_NAME_value(names, i));
    }
    GENERAL_NAMES_free(names);
}

/* RFC 5929 4.1: the hash of the certificate's own signature, but SHA-256 for MD5 and SHA-1; nothing
   when the signature has no hash of its own (Ed25519). */
static void read_end_point(struct tls_facts *facts, X509 *leaf)
{
    int hash = NID_undef;
    unsigned int len = 0;
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (X509_get_signature_info(leaf, &hash, NULL, NULL, NULL) != 1 || hash == NID_undef) {
        return;
    }
    if (hash == NID_md5 || hash == NID_sha1 || hash == NID_md5_sha1) {
        hash = NID_sha256;
    }
    const EVP_MD *md = EVP_get_digestbynid(hash);
    if (md != NULL && X509_digest(leaf, md, digest, &len) == 1 &&
        len <= sizeof(facts->end_point)) {
        memcpy(facts->end_point, digest, len);
        facts->end_point_len = len;
    }
}

static int collect_error(int ok, X509_STORE_CTX *ctx)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_facts *facts = SSL_get_app_data(ssl);
    if (ok == 0) {
        int code = X509_STORE_CTX_get_error(ctx);
        int depth = X509_STORE_CTX_get_error_depth(ctx);
        add_error(facts, depth, code, reason_of_code(code, depth));
        /* What stays here would be taken for the outcome of a later step, and hide its own. */
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
    }
    return 1;
}

/* Was the name only in the subject? RFC 9525 does not look there any more. */
static bool only_subject_names(X509 *leaf, const struct tls_facts *facts,
                               const struct tls_wanted *wanted)
{
    return facts->name_total == 0 && wanted->address.family == 0 &&
           X509_check_host(leaf, wanted->name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static void choose_reason(struct tls_facts *facts)
{
    facts->reason = TLS_REASON_NONE;
    for (size_t r = 0; r < ARRAY_LEN(first_to_show); r++) {
        for (size_t i = 0; i < facts->error_count; i++) {
            if (facts->errors[i].reason == first_to_show[r]) {
                facts->reason = first_to_show[r];
                (void)str_copy(facts->detail, sizeof(facts->detail),
                               X509_verify_cert_error_string(facts->errors[i].code));
                return;
            }
        }
    }
}

void tls_facts_verify(X509_STORE_CTX *ctx, const struct tls_wanted *wanted,
                      struct tls_facts *facts)
{
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);
    X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    facts->chain_count = 0;
    for (int i = 0; i < sk_X509_num(sent) && facts->chain_count < TLS_CHAIN_MAX; i++) {
        describe_cert(&facts->chain[facts->chain_count++], sk_X509_value(sent, i));
    }
    read_alt_names(facts, leaf);
    read_end_point(facts, leaf);

    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    X509_VERIFY_PARAM_set_time(param, (time_t)wanted->wall_s);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    bool set = true;
    if (wanted->address.family != 0) {
        size_t len = wanted->address.family == 4 ? 4 : 16;
        set = X509_VERIFY_PARAM_set1_ip(param, wanted->address.bytes, len) == 1;
    } else if (wanted->name[0] != '\0') {
        set = X509_VERIFY_PARAM_set1_host(param, wanted->name, 0) == 1;
    }
    X509_STORE_CTX_set_verify_cb(ctx, collect_error);
    if (!set || X509_verify_cert(ctx) != 1) {
        /* The callback goes on after every error of the chain, so this is one of the library. */
        int code = X509_STORE_CTX_get_error(ctx);
        code = code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code;
        add_error(facts, X509_STORE_CTX_get_error_depth(ctx), code, TLS_REASON_OTHER);
    }
    for (size_t i = 0; i < facts->error_count; i++) {
        if (facts->errors[i].code == X509_V_ERR_HOSTNAME_MISMATCH &&
            only_subject_names(leaf, facts, wanted)) {
            facts->errors[i].reason = TLS_REASON_NO_SAN;
        }
    }
    choose_reason(facts);
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
}

void tls_facts_revoked(struct tls_facts *facts)
{
    add_error(facts, 0, X509_V_ERR_CERT_REVOKED, TLS_REASON_REVOKED);
    choose_reason(facts);
}

static void read_group(SSL *ssl, struct tls_facts *facts)
{
    EVP_PKEY *key = NULL;
    char group[32] = "";
    if (SSL_get_peer_tmp_key(ssl, &key) != 1) {
        return;
    }
    int id = EVP_PKEY_get_base_id(key);
    if (id == EVP_PKEY_DH) {
        snprintf(facts->group, sizeof(facts->group), "DH %d", EVP_PKEY_get_bits(key));
    } else if (id == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1) {
        describe_curve(facts->group, sizeof(facts->group), "", group);
    } else {
        const char *name = EVP_PKEY_get0_type_name(key);
        (void)str_copy(facts->group, sizeof(facts->group), name != NULL ? name : "unknown");
    }
    EVP_PKEY_free(key);
}

void tls_facts_session(SSL *ssl, struct tls_facts *facts)
{
    (void)str_copy(facts->version, sizeof(facts->version), SSL_get_version(ssl));
    (void)str_copy(facts->cipher, sizeof(facts->cipher), SSL_get_cipher_name(ssl));
    facts->secure_renegotiation =
        SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_secure_renegotiation_support(ssl) == 1;
    read_group(ssl, facts);
    if (SSL_version(ssl) >= TLS1_3_VERSION) {
        if (SSL_export_keying_material(ssl, facts->binding, EXPORTER_LEN, EXPORTER_LABEL,
                                       sizeof(EXPORTER_LABEL) - 1, (const unsigned char *)"", 0,
                                       1) == 1) {
            facts->binding_len = EXPORTER_LEN;
            facts->binding_type = "tls-exporter";
        }
        return;
    }
    /* RFC 5929 3.1: the first Finished message. We never resume, so it is the client's. */
    size_t len = SSL_get_finished(ssl, facts->binding, sizeof(facts->binding));
    if (len > 0 && len <= sizeof(facts->binding)) {
        facts->binding_len = len;
        facts->binding_type = "tls-unique";
    }
}
