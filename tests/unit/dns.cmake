unit(dns_name dns)
unit(dns_msg dns)
unit(dns_hostile dns)
