"""What mail programs call the folders that every mailbox has, in the languages of those programs."""

from flowcrm.mail.types import FolderRole

# Compared without case, spaces, hyphens and dots. Names of Thunderbird, Outlook, Apple Mail, Roundcube and the large hosts.
_NAMES: dict[FolderRole, str] = {
    FolderRole.SENT: """sent, sent items, sent messages, sent mail, gesendet, gesendete elemente, gesendete
        objekte, gesendete nachrichten, postausgang gesendet, envoyés, éléments envoyés,
        messages envoyés, courrier envoyé, objets envoyés, enviados, elementos enviados,
        mensajes enviados, correo enviado, itens enviados, mensagens enviadas, enviadas,
        inviati, posta inviata, elementi inviati, messaggi inviati, verzonden, verzonden
        items, verzonden berichten, skickat, skickade, skickade objekt, sendt, sendte
        elementer, sendt post, sendte, lähetetyt, lähetetyt viestit, wysłane, elementy
        wysłane, odeslaná pošta, odeslané, odoslané, odoslaná pošta, elküldött, elküldött
        elemek, trimise, elemente trimise, отправленные, надіслані, изпратени, poslano,
        poslane poruke, απεσταλμένα, gönderilmiş, gönderilmiş öğeler, gönderilenler, 送信済み,
        送信済みアイテム, 送信済みトレイ, 已发送, 已发送邮件, 已發送郵件, 寄件備份, 보낸 편지함, 보낸편지함""",
    FolderRole.DRAFTS: """drafts, draft, entwürfe, entwurf, brouillons, borradores, rascunhos, bozze,
        concepten, utkast, kladder, luonnokset, wersje robocze, szkice, koncepty, rozepsané,
        piszkozatok, ciorne, черновики, чернетки, чернови, osnutki, skice, πρόχειρα,
        taslaklar, 下書き, 草稿, 草稿箱, 草稿匣, 임시 보관함, 임시보관함""",
    FolderRole.SPAM: """junk, spam, junk email, junk mail, bulk mail, junk e mail, spamverdacht,
        unerwünscht, unerwünschte werbung, courrier indésirable, indésirables, pourriel,
        correo no deseado, no deseado, lixo eletrônico, lixo electrónico, posta
        indesiderata, indesiderata, ongewenste e mail, ongewenst, ongewenste reclame,
        skräppost, søppelpost, uønsket mail, uønsket e post, roskaposti, wiadomości śmieci,
        niechciana poczta, nevyžádaná pošta, nevyžiadaná pošta, levélszemét, mesaje
        nedorite, спам, нежелательная почта, небажана пошта, нежелана поща, ανεπιθύμητα,
        önemsiz, önemsiz e posta, 迷惑メール, 垃圾邮件, 垃圾郵件, 스팸, 스팸메일함, 정크 메일""",
    FolderRole.TRASH: """trash, deleted, deleted items, deleted messages, bin, wastebasket, papierkorb,
        gelöscht, gelöschte elemente, gelöschte objekte, gelöschte nachrichten, corbeille,
        éléments supprimés, messages supprimés, papelera, eliminados, elementos eliminados,
        lixeira, lixo, itens excluídos, itens eliminados, cestino, posta eliminata, elementi
        eliminati, prullenbak, verwijderde items, verwijderd, papperskorg, papperskorgen,
        borttagna objekt, papirkurv, slettet post, slettede elementer, søppel, roskakori,
        poistetut, kosz, elementy usunięte, koš, odstraněná pošta, kôš, odstránené, kuka,
        törölt elemek, lomtár, coș de gunoi, elemente șterse, корзина, удаленные, удалённые,
        кошик, видалені, кошче, koš za smeće, smeće, κάδος, διαγραμμένα, çöp, çöp kutusu,
        silinmiş öğeler, silinenler, ごみ箱, 削除済みアイテム, ゴミ箱, 已删除, 已删除邮件, 废件箱, 刪除的郵件, 垃圾桶, 휴지통,
        지운 편지함""",
    FolderRole.ARCHIVE: """archive, archives, archiv, archivio, archivo, arquivo, archief, arkiv, arkisto,
        archiwum, archív, archívum, архив, архів, αρχείο, arşiv, アーカイブ, 存档, 封存, 보관함""",
}


def _bare(name: str) -> str:
    return "".join(letter for letter in name.casefold() if not letter.isspace() and letter not in "-_.")


_ROLES = {_bare(name): role for role, names in _NAMES.items() for name in names.split(",")}


def role_of(shown: str) -> FolderRole | None:
    """By the name alone; only at the top, or right below INBOX where some servers put everything."""
    parts = shown.split("/")
    if len(parts) > 1 and parts[0].upper() == "INBOX":
        parts = parts[1:]
    return _ROLES.get(_bare(parts[0])) if len(parts) == 1 else None
