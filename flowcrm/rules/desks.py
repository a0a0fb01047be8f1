"""Names of desks: what companies call the mailboxes that are not one person's, by language.

Kept here and not fetched from anywhere: RFC 2142, and what mail sent to companies in these languages is addressed to. Words are
without accents, as `rules.persons` compares them. A word more leaves a desk out of suggestions; one too many leaves a person
out, who can still be added by hand. tests/unit/rules/test_persons.py holds the form.
"""

BY_LANGUAGE: dict[str, str] = {
    "English": """
        abuse accounting accounts admin administration administrator advertising affiliates alerts all announce api
        apps assistance billing booking bookings care career careers cert complaints compliance contact contactus
        contracts cs customer customercare customers customerservice customersupport daemon data delivery dev devnull
        devops digest dns dpo editor editorial email emergency enquiries enquiry events everyone facilities fax
        feedback finance frontdesk ftp gdpr general group hello help helpdesk hi hiring host hostmaster hotline hr
        inbox info information inquiries inquiry international investor investors invoice invoices invoicing it
        itsupport jobs law legal listserv login logistics mail mailbox mailer mailman maintenance management
        manager marketing media members membership monitor monitoring news newsletter newsletters noc office online
        operations operator ops order orders partner partners partnerships payable payables payment payments payroll
        personnel police post postbox postmaster press privacy procurement promo promotions purchasing queries query
        receivable reception recruiting recruitment refund refunds registrar registration remittance reply report
        reports reservation reservations returns root sales school secretary security service services shop
        socialmedia spam sponsors staff statements store studio subscriptions success support survey sysadmin system
        team tech technical test ticket tickets tracking training travel update updates usenet uucp verification
        verify voicemail warehouse web webmaster webshop welcome www
    """,
    "German": """
        abrechnung abteilung anfrage anfragen angebot angebote anmeldung apotheke auftraege auftrag ausbildung
        bestellung bestellungen bewerbung bewerbungen buchhaltung buero bueros buro datenschutz dispo disposition
        einkauf empfang faktura geschaeftsfuehrung geschaeftsstelle hausverwaltung kanzlei karriere kasse kontakt
        kundenbetreuung kundendienst kundenservice lager leitung lieferung logistik mahnung personal personalabteilung
        poststelle praesidium praxis presse rechnung rechnungen rechnungswesen redaktion reklamation reservierung
        reservierungen rezeption sekretariat
        stoerung stoerungen technik verkauf versand vertrieb verwaltung werkstatt zentrale
    """,
    "French": """
        accueil achats administratif assistance bonjour candidature candidatures client clients commande commandes
        commercial communication compta comptabilite comptoir direction emploi facturation facture factures formation
        gestion livraison mairie paie presse recrutement rh sav secretariat ventes
    """,
    "Spanish and Portuguese": """
        administracao administracion ajuda atencion atencionalcliente atendimento ayuda clientes cobrancas cobranza
        comercial compras comunicacion contabilidad contabilidade contacto contato empleo encomendas facturacion
        faturamento faturas financeiro gerencia hola informacion informacoes ola pedidos prensa privacidad recepcion
        recursoshumanos reservas rrhh secretaria soporte sugerencias suporte tienda vendas ventas
    """,
    "Italian": """
        acquisti amministrazione assistenza assistenzaclienti ciao commerciale contabilita contatti direzione
        fatturazione fatture fornitori informazioni lavoro ordini personale prenotazioni privacy segreteria stampa
        ufficio ufficiostampa vendite
    """,
    "Dutch": """
        administratie bestellingen boekhouding crediteuren debiteuren facturatie facturen factuur inkoop klant
        klantenservice magazijn onthaal pers receptie secretariaat vacatures verkoop werken
    """,
    "Polish, Czech, Slovak, Hungarian": """
        biuro bok dotazy dzial fakturace fakturacia faktury handlowy iroda kadry kariera ksiegowosc obchod objednavky
        oferta oferty penzugy podpora pomoc predaj prodej reklamacje rekrutacja sekretariat serwis sklep sprzedaz
        szamla uctarna uctovnictvo ugyfelszolgalat zakaznik zamowienia zamowienie
    """,
    "Danish, Swedish, Norwegian, Finnish": """
        asiakaspalvelu bogholderi ekonomi faktura firmapost indkob inkop jobb kundeservice kundservice kundtjanst
        laskutus myynti order ordre post reception regnskab regnskap salg salj sporgsmal support tilaukset toimisto
    """,
    "Turkish": """
        bilgi destek iletisim insankaynaklari muhasebe satis siparis
    """,
}

# Names of people too, or ends of them ("ola.nordmann", "john.law"): desks only where nothing stands beside them.
ALONE = """
    bok ciao client dev group hello hi hola host it klant law mail ola personal police post press school store web
"""

DESKS = frozenset(word for words in BY_LANGUAGE.values() for word in words.split())
DESKS_ALONE = frozenset(word for line in ALONE.splitlines() for word in line.split())
