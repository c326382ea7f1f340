
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'p2pt' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'p2pt'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'p2pt' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('peer-id', 'peer-id', [CompletionResultType]::ParameterValue, 'print this user''s peer ID, making an identity on first use')
            [CompletionResult]::new('rendezvous', 'rendezvous', [CompletionResultType]::ParameterValue, 'run the rendezvous service that introduces peers')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'say what stands between here and there')
            [CompletionResult]::new('connect', 'connect', [CompletionResultType]::ParameterValue, 'a pipe between two peers, through NATs, encrypted')
            [CompletionResult]::new('group', 'group', [CompletionResultType]::ParameterValue, 'groups: make, join, watch and post to them')
            [CompletionResult]::new('post', 'post', [CompletionResultType]::ParameterValue, 'post to a group, and leave when members have it')
            [CompletionResult]::new('multicast', 'multicast', [CompletionResultType]::ParameterValue, 'live streams to many, each of whom passes them on')
            [CompletionResult]::new('replicate-file', 'replicate-file', [CompletionResultType]::ParameterValue, 'give files to many at once, each of whom gives them on')
            [CompletionResult]::new('replicate', 'replicate', [CompletionResultType]::ParameterValue, 'give files to many at once, each of whom gives them on')
            [CompletionResult]::new('route', 'route', [CompletionResultType]::ParameterValue, 'send messages along the ring of a group')
            [CompletionResult]::new('store', 'store', [CompletionResultType]::ParameterValue, 'a group''s distributed storage: values by key')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'a rendezvous and peers on this machine, one command, real sockets')
            [CompletionResult]::new('simulate', 'simulate', [CompletionResultType]::ParameterValue, 'let a group of thousands live in one process, and say how it fares')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'print the completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'write the man pages into a folder')
            [CompletionResult]::new('links', 'links', [CompletionResultType]::ParameterValue, 'make links such as p2pt-connect, which is p2pt connect')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;peer-id' {
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--new', '--new', [CompletionResultType]::ParameterName, 'Make a new identity; the old one is kept under another name')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Make the new identity one that RFC 7425 peers can authenticate')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;rendezvous' {
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Listen on this UDP address [default: [::]:1935]')
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Listen on this UDP address [default: [::]:1935]')
            [CompletionResult]::new('--advertise', '--advertise', [CompletionResultType]::ParameterName, 'The name to print in the address, when it is not the one listened on')
            [CompletionResult]::new('--developer-keys', '--developer-keys', [CompletionResultType]::ParameterName, 'Serve only those who show a key of this file')
            [CompletionResult]::new('--redirect-to', '--redirect-to', [CompletionResultType]::ParameterName, 'Send new clients to this server instead; may be repeated')
            [CompletionResult]::new('--probe-from', '--probe-from', [CompletionResultType]::ParameterName, 'A second address of this machine from which to probe NATs')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Ask each client after this much silence whether it is there [default: 10s]')
            [CompletionResult]::new('--hostname', '--hostname', [CompletionResultType]::ParameterName, 'Answer also to clients that ask for a server of this name')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write one line to file descriptor N when ready')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write that line to a file instead, whole or not at all')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Serve RTMFP clients that are not p2pt, too (RFC 7425)')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;check' {
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;connect' {
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'Let this peer in; may be repeated')
            [CompletionResult]::new('--max-conns', '--max-conns', [CompletionResultType]::ParameterName, 'Serve at most N peers at once [default: 64]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Give the pipe to `sh -c CMD` instead of this terminal')
            [CompletionResult]::new('--exec', '--exec', [CompletionResultType]::ParameterName, 'Give the pipe to `sh -c CMD` instead of this terminal')
            [CompletionResult]::new('--to-tcp', '--to-tcp', [CompletionResultType]::ParameterName, 'Join each peer to a TCP connection to HOST:PORT')
            [CompletionResult]::new('--from-tcp', '--from-tcp', [CompletionResultType]::ParameterName, 'Accept TCP connections here, and join each to the peer')
            [CompletionResult]::new('--to-udp', '--to-udp', [CompletionResultType]::ParameterName, 'Pass datagrams to HOST:PORT')
            [CompletionResult]::new('--from-udp', '--from-udp', [CompletionResultType]::ParameterName, 'Pass datagrams that arrive here to the peer')
            [CompletionResult]::new('--messages', '--messages', [CompletionResultType]::ParameterName, 'Carry messages instead of bytes')
            [CompletionResult]::new('--lifetime', '--lifetime', [CompletionResultType]::ParameterName, 'Drop a message that was not delivered in time')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write one line to file descriptor N when ready')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write that line to a file instead, whole or not at all')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Wait for a peer instead of dialling one')
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Wait for a peer instead of dialling one')
            [CompletionResult]::new('--allow-any', '--allow-any', [CompletionResultType]::ParameterName, 'Let any peer in')
            [CompletionResult]::new('--keep-open', '--keep-open', [CompletionResultType]::ParameterName, 'Go on after a peer has left, and serve several at once where each has its own command or connection')
            [CompletionResult]::new('--recv-only', '--recv-only', [CompletionResultType]::ParameterName, 'Send nothing; standard input is not read')
            [CompletionResult]::new('--send-only', '--send-only', [CompletionResultType]::ParameterName, 'Receive nothing')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;group' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'make a groupspec')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'decode a groupspec')
            [CompletionResult]::new('join', 'join', [CompletionResultType]::ParameterValue, 'be a member: print others'' posts, post what is typed')
            [CompletionResult]::new('members', 'members', [CompletionResultType]::ParameterValue, 'list the members that are known here')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'the group as it is seen from here: size, neighbours, rates')
            [CompletionResult]::new('post', 'post', [CompletionResultType]::ParameterValue, 'post to a group, and leave when members have it')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;group;new' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'The group''s name [default: p2pt]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The group''s name [default: p2pt]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to a new FILE, mode 0600, instead of standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to a new FILE, mode 0600, instead of standard output')
            [CompletionResult]::new('--posting-password-file', '--posting-password-file', [CompletionResultType]::ParameterName, 'Posting needs the password in FILE; - is standard input')
            [CompletionResult]::new('--posting-password-fd', '--posting-password-fd', [CompletionResultType]::ParameterName, 'Posting needs the password in file descriptor N')
            [CompletionResult]::new('--publish-password-file', '--publish-password-file', [CompletionResultType]::ParameterName, 'Publishing needs the password in FILE; - is standard input')
            [CompletionResult]::new('--publish-password-fd', '--publish-password-fd', [CompletionResultType]::ParameterName, 'Publishing needs the password in file descriptor N')
            [CompletionResult]::new('--flash-salt', '--flash-salt', [CompletionResultType]::ParameterName, 'A salt for their hashes')
            [CompletionResult]::new('--bootstrap-peer', '--bootstrap-peer', [CompletionResultType]::ParameterName, 'A member to begin with; may be repeated')
            [CompletionResult]::new('--ip-multicast', '--ip-multicast', [CompletionResultType]::ParameterName, 'An IP multicast address of the group, for one sender or any; may be repeated')
            [CompletionResult]::new('--groupspec-version', '--groupspec-version', [CompletionResultType]::ParameterName, 'Groupspec version; 1 is for the oldest Flash Players [default: 2]')
            [CompletionResult]::new('--guessable', '--guessable', [CompletionResultType]::ParameterName, 'Add no random bytes: whoever sets the same options gets the same group')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--posting', '--posting', [CompletionResultType]::ParameterName, 'Members post')
            [CompletionResult]::new('--multicast', '--multicast', [CompletionResultType]::ParameterName, 'Members multicast streams')
            [CompletionResult]::new('--replication', '--replication', [CompletionResultType]::ParameterName, 'Members replicate objects')
            [CompletionResult]::new('--routing', '--routing', [CompletionResultType]::ParameterName, 'Members route messages')
            [CompletionResult]::new('--server-channel', '--server-channel', [CompletionResultType]::ParameterName, 'Members find each other through the rendezvous, too')
            [CompletionResult]::new('--member-updates', '--member-updates', [CompletionResultType]::ParameterName, 'Members find each other by IP multicast, too')
            [CompletionResult]::new('--no-peer-to-peer', '--no-peer-to-peer', [CompletionResultType]::ParameterName, 'Members do not connect to each other: IP multicast alone')
            [CompletionResult]::new('--posting-password', '--posting-password', [CompletionResultType]::ParameterName, 'Posting needs a password, which is generated')
            [CompletionResult]::new('--publish-password', '--publish-password', [CompletionResultType]::ParameterName, 'Publishing streams needs a password, which is generated')
            [CompletionResult]::new('--flash-passwords', '--flash-passwords', [CompletionResultType]::ParameterName, 'Write given passwords as Flash does: hashed, and in clear behind the groupspec')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;group;show' {
            [CompletionResult]::new('--without-passwords', '--without-passwords', [CompletionResultType]::ParameterName, 'Print the groupspec alone, without Flash''s passwords in clear')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;group;join' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Post under this nickname: a claim, shown with the peer ID')
            [CompletionResult]::new('--nick', '--nick', [CompletionResultType]::ParameterName, 'Post under this nickname: a claim, shown with the peer ID')
            [CompletionResult]::new('--receive-mode', '--receive-mode', [CompletionResultType]::ParameterName, 'Take routed messages for one''s own address only, or for all that one is nearest to [default: nearest]')
            [CompletionResult]::new('--retention', '--retention', [CompletionResultType]::ParameterName, 'Keep posts this long for those who missed them [default: 5m]')
            [CompletionResult]::new('--posting-password-file', '--posting-password-file', [CompletionResultType]::ParameterName, 'Read the posting password from FILE; - is standard input')
            [CompletionResult]::new('--posting-password-fd', '--posting-password-fd', [CompletionResultType]::ParameterName, 'Read the posting password from file descriptor N')
            [CompletionResult]::new('--neighbor', '--neighbor', [CompletionResultType]::ParameterName, 'A member to connect to at once; may be repeated')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'With --send-only: give up when no member was found for this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'With --send-only: give up when no member was found for this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write one line to file descriptor N when ready')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write that line to a file instead, whole or not at all')
            [CompletionResult]::new('--echo', '--echo', [CompletionResultType]::ParameterName, 'Print one''s own posts, too')
            [CompletionResult]::new('--recv-only', '--recv-only', [CompletionResultType]::ParameterName, 'Post nothing; standard input is not read')
            [CompletionResult]::new('--send-only', '--send-only', [CompletionResultType]::ParameterName, 'Print nothing, and leave after the end of standard input')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Posts end with a NUL instead of a newline, in and out')
            [CompletionResult]::new('--nul', '--nul', [CompletionResultType]::ParameterName, 'Posts end with a NUL instead of a newline, in and out')
            [CompletionResult]::new('--anonymous', '--anonymous', [CompletionResultType]::ParameterName, 'Sign with a fresh key instead of the user''s identity')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;group;members' {
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('--alone', '--alone', [CompletionResultType]::ParameterName, 'Join for this call alone, even if p2pt group join runs here for the same group')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;group;info' {
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('--alone', '--alone', [CompletionResultType]::ParameterName, 'Join for this call alone, even if p2pt group join runs here for the same group')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;group;post' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Post under this nickname: a claim, shown with the peer ID')
            [CompletionResult]::new('--nick', '--nick', [CompletionResultType]::ParameterName, 'Post under this nickname: a claim, shown with the peer ID')
            [CompletionResult]::new('--posting-password-file', '--posting-password-file', [CompletionResultType]::ParameterName, 'Read the posting password from FILE; - is standard input')
            [CompletionResult]::new('--posting-password-fd', '--posting-password-fd', [CompletionResultType]::ParameterName, 'Read the posting password from file descriptor N')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Posts on standard input end with a NUL instead of a newline')
            [CompletionResult]::new('--nul', '--nul', [CompletionResultType]::ParameterName, 'Posts on standard input end with a NUL instead of a newline')
            [CompletionResult]::new('--raw', '--raw', [CompletionResultType]::ParameterName, 'All of standard input is one post')
            [CompletionResult]::new('--alone', '--alone', [CompletionResultType]::ParameterName, 'Join for this call alone, even if p2pt group join runs here for the same group')
            [CompletionResult]::new('--anonymous', '--anonymous', [CompletionResultType]::ParameterName, 'Sign with a fresh key instead of the user''s identity')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;group;help' {
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'make a groupspec')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'decode a groupspec')
            [CompletionResult]::new('join', 'join', [CompletionResultType]::ParameterValue, 'be a member: print others'' posts, post what is typed')
            [CompletionResult]::new('members', 'members', [CompletionResultType]::ParameterValue, 'list the members that are known here')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'the group as it is seen from here: size, neighbours, rates')
            [CompletionResult]::new('post', 'post', [CompletionResultType]::ParameterValue, 'post to a group, and leave when members have it')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;group;help;new' {
            break
        }
        'p2pt;group;help;show' {
            break
        }
        'p2pt;group;help;join' {
            break
        }
        'p2pt;group;help;members' {
            break
        }
        'p2pt;group;help;info' {
            break
        }
        'p2pt;group;help;post' {
            break
        }
        'p2pt;group;help;help' {
            break
        }
        'p2pt;post' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Post under this nickname: a claim, shown with the peer ID')
            [CompletionResult]::new('--nick', '--nick', [CompletionResultType]::ParameterName, 'Post under this nickname: a claim, shown with the peer ID')
            [CompletionResult]::new('--posting-password-file', '--posting-password-file', [CompletionResultType]::ParameterName, 'Read the posting password from FILE; - is standard input')
            [CompletionResult]::new('--posting-password-fd', '--posting-password-fd', [CompletionResultType]::ParameterName, 'Read the posting password from file descriptor N')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Posts on standard input end with a NUL instead of a newline')
            [CompletionResult]::new('--nul', '--nul', [CompletionResultType]::ParameterName, 'Posts on standard input end with a NUL instead of a newline')
            [CompletionResult]::new('--raw', '--raw', [CompletionResultType]::ParameterName, 'All of standard input is one post')
            [CompletionResult]::new('--alone', '--alone', [CompletionResultType]::ParameterName, 'Join for this call alone, even if p2pt group join runs here for the same group')
            [CompletionResult]::new('--anonymous', '--anonymous', [CompletionResultType]::ParameterName, 'Sign with a fresh key instead of the user''s identity')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;multicast' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('publish', 'publish', [CompletionResultType]::ParameterValue, 'publish standard input as a live stream')
            [CompletionResult]::new('play', 'play', [CompletionResultType]::ParameterValue, 'play a stream of a group to standard output')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;multicast;publish' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'What standard input is [default: auto]')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'How long after its publication the stream is played [default: 2s]')
            [CompletionResult]::new('--multicast-window-duration', '--multicast-window-duration', [CompletionResultType]::ParameterName, 'Gather pieces for this long before they must be played; default the latency')
            [CompletionResult]::new('--multicast-fetch-period', '--multicast-fetch-period', [CompletionResultType]::ParameterName, 'Ask for what nobody pushed after this long; default an eighth of the latency')
            [CompletionResult]::new('--multicast-availability-update-period', '--multicast-availability-update-period', [CompletionResultType]::ParameterName, 'Tell neighbours this often what is there; default 100ms')
            [CompletionResult]::new('--multicast-push-neighbor-limit', '--multicast-push-neighbor-limit', [CompletionResultType]::ParameterName, 'Push each piece of a stream to N neighbours at most; default 4')
            [CompletionResult]::new('--multicast-relay-margin-duration', '--multicast-relay-margin-duration', [CompletionResultType]::ParameterName, 'Keep what was played for this long, for others who miss it; default 2s, or the latency if that is longer')
            [CompletionResult]::new('--publish-password-file', '--publish-password-file', [CompletionResultType]::ParameterName, 'Read the publishing password from FILE')
            [CompletionResult]::new('--publish-password-fd', '--publish-password-fd', [CompletionResultType]::ParameterName, 'Read the publishing password from file descriptor N')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write one line to file descriptor N when ready')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write that line to a file instead, whole or not at all')
            [CompletionResult]::new('--realtime', '--realtime', [CompletionResultType]::ParameterName, 'Go by the stream''s own clock, if input comes faster than that')
            [CompletionResult]::new('--flash-timing', '--flash-timing', [CompletionResultType]::ParameterName, 'Flash''s settings instead of those for a latency')
            [CompletionResult]::new('--multicast-availability-send-to-all', '--multicast-availability-send-to-all', [CompletionResultType]::ParameterName, 'Tell all neighbours each time, not one after the other')
            [CompletionResult]::new('--anonymous', '--anonymous', [CompletionResultType]::ParameterName, 'Sign with a fresh key instead of the user''s identity')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;multicast;play' {
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'Play this long after publication; default what the publisher says')
            [CompletionResult]::new('--publisher', '--publisher', [CompletionResultType]::ParameterName, 'Only the stream of this publisher')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long without a word of the publisher [default: 10s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long without a word of the publisher [default: 10s]')
            [CompletionResult]::new('--multicast-push-neighbor-limit', '--multicast-push-neighbor-limit', [CompletionResultType]::ParameterName, 'Push each piece of a stream to N neighbours at most; default 4')
            [CompletionResult]::new('--multicast-relay-margin-duration', '--multicast-relay-margin-duration', [CompletionResultType]::ParameterName, 'Keep what was played for this long, for others who miss it; default 2s, or the latency if that is longer')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write one line to file descriptor N when ready')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write that line to a file instead, whole or not at all')
            [CompletionResult]::new('--keep-open', '--keep-open', [CompletionResultType]::ParameterName, 'After the end wait for the next stream of the name')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;multicast;help' {
            [CompletionResult]::new('publish', 'publish', [CompletionResultType]::ParameterValue, 'publish standard input as a live stream')
            [CompletionResult]::new('play', 'play', [CompletionResultType]::ParameterValue, 'play a stream of a group to standard output')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;multicast;help;publish' {
            break
        }
        'p2pt;multicast;help;play' {
            break
        }
        'p2pt;multicast;help;help' {
            break
        }
        'p2pt;replicate-file' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('share', 'share', [CompletionResultType]::ParameterValue, 'share files and folders, and print the address to fetch them by')
            [CompletionResult]::new('fetch', 'fetch', [CompletionResultType]::ParameterValue, 'fetch files, and share them meanwhile')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;replicate' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('share', 'share', [CompletionResultType]::ParameterValue, 'share files and folders, and print the address to fetch them by')
            [CompletionResult]::new('fetch', 'fetch', [CompletionResultType]::ParameterValue, 'fetch files, and share them meanwhile')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;replicate-file;share' {
            [CompletionResult]::new('--until-copies', '--until-copies', [CompletionResultType]::ParameterName, 'Leave when N others have all of it')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Leave after this long')
            [CompletionResult]::new('--up', '--up', [CompletionResultType]::ParameterName, 'Send at most this much, as in 10Mbit/s')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Share in this group instead of a fresh one; its groupspec needs object replication')
            [CompletionResult]::new('--rendezvous', '--rendezvous', [CompletionResultType]::ParameterName, 'Meet others through this rendezvous; default $P2PT_RENDEZVOUS, or none: this LAN')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write one line to file descriptor N when ready')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write that line to a file instead, whole or not at all')
            [CompletionResult]::new('--polite', '--polite', [CompletionResultType]::ParameterName, 'Leave the line to other traffic, even to members on this machine')
            [CompletionResult]::new('--no-polite', '--no-polite', [CompletionResultType]::ParameterName, 'Take what can be had of the line')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;replicate;share' {
            [CompletionResult]::new('--until-copies', '--until-copies', [CompletionResultType]::ParameterName, 'Leave when N others have all of it')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Leave after this long')
            [CompletionResult]::new('--up', '--up', [CompletionResultType]::ParameterName, 'Send at most this much, as in 10Mbit/s')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Share in this group instead of a fresh one; its groupspec needs object replication')
            [CompletionResult]::new('--rendezvous', '--rendezvous', [CompletionResultType]::ParameterName, 'Meet others through this rendezvous; default $P2PT_RENDEZVOUS, or none: this LAN')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write one line to file descriptor N when ready')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write that line to a file instead, whole or not at all')
            [CompletionResult]::new('--polite', '--polite', [CompletionResultType]::ParameterName, 'Leave the line to other traffic, even to members on this machine')
            [CompletionResult]::new('--no-polite', '--no-polite', [CompletionResultType]::ParameterName, 'Take what can be had of the line')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;replicate-file;fetch' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Where to put it: a new file or, for a list, a folder; - is standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Where to put it: a new file or, for a list, a folder; - is standard output')
            [CompletionResult]::new('--up', '--up', [CompletionResultType]::ParameterName, 'Send at most this much, as in 10Mbit/s')
            [CompletionResult]::new('--down', '--down', [CompletionResultType]::ParameterName, 'Receive at most this much, as in 10Mbit/s')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite what is there')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a list of files is fetched')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a list of files is fetched')
            [CompletionResult]::new('--stay', '--stay', [CompletionResultType]::ParameterName, 'Go on sharing when all is there, until a signal')
            [CompletionResult]::new('--polite', '--polite', [CompletionResultType]::ParameterName, 'Leave the line to other traffic, even to members on this machine')
            [CompletionResult]::new('--no-polite', '--no-polite', [CompletionResultType]::ParameterName, 'Take what can be had of the line')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;replicate;fetch' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Where to put it: a new file or, for a list, a folder; - is standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Where to put it: a new file or, for a list, a folder; - is standard output')
            [CompletionResult]::new('--up', '--up', [CompletionResultType]::ParameterName, 'Send at most this much, as in 10Mbit/s')
            [CompletionResult]::new('--down', '--down', [CompletionResultType]::ParameterName, 'Receive at most this much, as in 10Mbit/s')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite what is there')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a list of files is fetched')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a list of files is fetched')
            [CompletionResult]::new('--stay', '--stay', [CompletionResultType]::ParameterName, 'Go on sharing when all is there, until a signal')
            [CompletionResult]::new('--polite', '--polite', [CompletionResultType]::ParameterName, 'Leave the line to other traffic, even to members on this machine')
            [CompletionResult]::new('--no-polite', '--no-polite', [CompletionResultType]::ParameterName, 'Take what can be had of the line')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;replicate-file;help' {
            [CompletionResult]::new('share', 'share', [CompletionResultType]::ParameterValue, 'share files and folders, and print the address to fetch them by')
            [CompletionResult]::new('fetch', 'fetch', [CompletionResultType]::ParameterValue, 'fetch files, and share them meanwhile')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;replicate-file;help;share' {
            break
        }
        'p2pt;replicate-file;help;fetch' {
            break
        }
        'p2pt;replicate-file;help;help' {
            break
        }
        'p2pt;replicate;help' {
            [CompletionResult]::new('share', 'share', [CompletionResultType]::ParameterValue, 'share files and folders, and print the address to fetch them by')
            [CompletionResult]::new('fetch', 'fetch', [CompletionResultType]::ParameterValue, 'fetch files, and share them meanwhile')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;replicate;help;share' {
            break
        }
        'p2pt;replicate;help;fetch' {
            break
        }
        'p2pt;replicate;help;help' {
            break
        }
        'p2pt;route' {
            [CompletionResult]::new('--to-nearest', '--to-nearest', [CompletionResultType]::ParameterName, 'Send to the member nearest to this place: PEER-ID, @ADDRESS or a key')
            [CompletionResult]::new('--receive-mode', '--receive-mode', [CompletionResultType]::ParameterName, 'With --listen: take messages for one''s own address only, or for all that one is nearest to [default: nearest]')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write one line to file descriptor N when ready')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write that line to a file instead, whole or not at all')
            [CompletionResult]::new('--to-next', '--to-next', [CompletionResultType]::ParameterName, 'Send to the next member in increasing direction')
            [CompletionResult]::new('--to-previous', '--to-previous', [CompletionResultType]::ParameterName, 'Send to the next member in decreasing direction')
            [CompletionResult]::new('--to-neighbors', '--to-neighbors', [CompletionResultType]::ParameterName, 'Send to every neighbour')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Print what arrives here, a line each')
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Print what arrives here, a line each')
            [CompletionResult]::new('--ack', '--ack', [CompletionResultType]::ParameterName, 'Wait until the receiver says that it has the message')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Messages end with a NUL instead of a newline, in and out')
            [CompletionResult]::new('--nul', '--nul', [CompletionResultType]::ParameterName, 'Messages end with a NUL instead of a newline, in and out')
            [CompletionResult]::new('--alone', '--alone', [CompletionResultType]::ParameterName, 'Join for this call alone, even if p2pt group join runs here for the same group')
            [CompletionResult]::new('--anonymous', '--anonymous', [CompletionResultType]::ParameterName, 'Sign with a fresh key instead of the user''s identity')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;store' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('put', 'put', [CompletionResultType]::ParameterValue, 'store a value under a key')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'get a value by its key')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;store;put' {
            [CompletionResult]::new('--expires', '--expires', [CompletionResultType]::ParameterName, 'How long it is kept, at most 30 days [default: 1d]')
            [CompletionResult]::new('--posting-password-file', '--posting-password-file', [CompletionResultType]::ParameterName, 'Read the posting password from FILE; - is standard input')
            [CompletionResult]::new('--posting-password-fd', '--posting-password-fd', [CompletionResultType]::ParameterName, 'Read the posting password from file descriptor N')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use the identity in FILE [env: P2PT_KEY]')
            [CompletionResult]::new('--content', '--content', [CompletionResultType]::ParameterName, 'Store under the value''s own SHA-256, without author')
            [CompletionResult]::new('--remove', '--remove', [CompletionResultType]::ParameterName, 'Take one''s own value back')
            [CompletionResult]::new('--alone', '--alone', [CompletionResultType]::ParameterName, 'Join for this call alone, even if p2pt group join runs here for the same group')
            [CompletionResult]::new('--anonymous', '--anonymous', [CompletionResultType]::ParameterName, 'Sign with a fresh key instead of the user''s identity')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;store;get' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Only what this author put')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long [default: 30s]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'Use this UDP address of ours [default: [::]:0]')
            [CompletionResult]::new('--content', '--content', [CompletionResultType]::ParameterName, 'KEY is the SHA-256 of a value, in hex')
            [CompletionResult]::new('--alone', '--alone', [CompletionResultType]::ParameterName, 'Join for this call alone, even if p2pt group join runs here for the same group')
            [CompletionResult]::new('--flash', '--flash', [CompletionResultType]::ParameterName, 'Speak to RTMFP peers that are not p2pt, too')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;store;help' {
            [CompletionResult]::new('put', 'put', [CompletionResultType]::ParameterValue, 'store a value under a key')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'get a value by its key')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;store;help;put' {
            break
        }
        'p2pt;store;help;get' {
            break
        }
        'p2pt;store;help;help' {
            break
        }
        'p2pt;demo' {
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'How much to pipe [default: 64MiB]')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;simulate' {
            [CompletionResult]::new('--members', '--members', [CompletionResultType]::ParameterName, 'How many members')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'From which all chance comes')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'How long things are done, after all have joined')
            [CompletionResult]::new('--engine', '--engine', [CompletionResultType]::ParameterName, 'Carry messages (swarm) or packets (world)')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Change any setting; may be repeated')
            [CompletionResult]::new('--plot', '--plot', [CompletionResultType]::ParameterName, 'Draw it into FILE, as SVG')
            [CompletionResult]::new('--list', '--list', [CompletionResultType]::ParameterName, 'List the scenarios, or the settings of SCENARIO, and run nothing')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Write events as JSON Lines')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;completions' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;man' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;links' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error; -vv and -vvv say still more')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but errors')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bars')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'p2pt;help' {
            [CompletionResult]::new('peer-id', 'peer-id', [CompletionResultType]::ParameterValue, 'print this user''s peer ID, making an identity on first use')
            [CompletionResult]::new('rendezvous', 'rendezvous', [CompletionResultType]::ParameterValue, 'run the rendezvous service that introduces peers')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'say what stands between here and there')
            [CompletionResult]::new('connect', 'connect', [CompletionResultType]::ParameterValue, 'a pipe between two peers, through NATs, encrypted')
            [CompletionResult]::new('group', 'group', [CompletionResultType]::ParameterValue, 'groups: make, join, watch and post to them')
            [CompletionResult]::new('post', 'post', [CompletionResultType]::ParameterValue, 'post to a group, and leave when members have it')
            [CompletionResult]::new('multicast', 'multicast', [CompletionResultType]::ParameterValue, 'live streams to many, each of whom passes them on')
            [CompletionResult]::new('replicate-file', 'replicate-file', [CompletionResultType]::ParameterValue, 'give files to many at once, each of whom gives them on')
            [CompletionResult]::new('route', 'route', [CompletionResultType]::ParameterValue, 'send messages along the ring of a group')
            [CompletionResult]::new('store', 'store', [CompletionResultType]::ParameterValue, 'a group''s distributed storage: values by key')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'a rendezvous and peers on this machine, one command, real sockets')
            [CompletionResult]::new('simulate', 'simulate', [CompletionResultType]::ParameterValue, 'let a group of thousands live in one process, and say how it fares')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'print the completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'write the man pages into a folder')
            [CompletionResult]::new('links', 'links', [CompletionResultType]::ParameterValue, 'make links such as p2pt-connect, which is p2pt connect')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'p2pt;help;peer-id' {
            break
        }
        'p2pt;help;rendezvous' {
            break
        }
        'p2pt;help;check' {
            break
        }
        'p2pt;help;connect' {
            break
        }
        'p2pt;help;group' {
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'make a groupspec')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'decode a groupspec')
            [CompletionResult]::new('join', 'join', [CompletionResultType]::ParameterValue, 'be a member: print others'' posts, post what is typed')
            [CompletionResult]::new('members', 'members', [CompletionResultType]::ParameterValue, 'list the members that are known here')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'the group as it is seen from here: size, neighbours, rates')
            [CompletionResult]::new('post', 'post', [CompletionResultType]::ParameterValue, 'post to a group, and leave when members have it')
            break
        }
        'p2pt;help;group;new' {
            break
        }
        'p2pt;help;group;show' {
            break
        }
        'p2pt;help;group;join' {
            break
        }
        'p2pt;help;group;members' {
            break
        }
        'p2pt;help;group;info' {
            break
        }
        'p2pt;help;group;post' {
            break
        }
        'p2pt;help;post' {
            break
        }
        'p2pt;help;multicast' {
            [CompletionResult]::new('publish', 'publish', [CompletionResultType]::ParameterValue, 'publish standard input as a live stream')
            [CompletionResult]::new('play', 'play', [CompletionResultType]::ParameterValue, 'play a stream of a group to standard output')
            break
        }
        'p2pt;help;multicast;publish' {
            break
        }
        'p2pt;help;multicast;play' {
            break
        }
        'p2pt;help;replicate-file' {
            [CompletionResult]::new('share', 'share', [CompletionResultType]::ParameterValue, 'share files and folders, and print the address to fetch them by')
            [CompletionResult]::new('fetch', 'fetch', [CompletionResultType]::ParameterValue, 'fetch files, and share them meanwhile')
            break
        }
        'p2pt;help;replicate-file;share' {
            break
        }
        'p2pt;help;replicate-file;fetch' {
            break
        }
        'p2pt;help;route' {
            break
        }
        'p2pt;help;store' {
            [CompletionResult]::new('put', 'put', [CompletionResultType]::ParameterValue, 'store a value under a key')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'get a value by its key')
            break
        }
        'p2pt;help;store;put' {
            break
        }
        'p2pt;help;store;get' {
            break
        }
        'p2pt;help;demo' {
            break
        }
        'p2pt;help;simulate' {
            break
        }
        'p2pt;help;completions' {
            break
        }
        'p2pt;help;man' {
            break
        }
        'p2pt;help;links' {
            break
        }
        'p2pt;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
